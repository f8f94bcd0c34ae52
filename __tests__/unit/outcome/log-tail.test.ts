import { Buffer } from 'node:buffer';
import { describe, expect, test } from '@jest/globals';
import {
  decodeLogTail,
  isCut,
  linesBeyond,
  readFigures,
  readLogPlace,
  readReport,
} from '../../../src/outcome/log-tail.ts';
import { heavyTest } from '../../heavy.ts';
import { REQUEST_ID } from './factory.ts';

const report = (id: string, figures: string): string => `REPORT RequestId: ${id}\t${figures}\t`;
const FIGURES = 'Duration: 3.01 ms\tBilled Duration: 4 ms\tMemory Size: 128 MB\tMax Memory Used: 36 MB';
const WARM = {
  duration_ms: 3.01,
  billed_duration_ms: 4,
  memory_size_mb: 128,
  max_memory_used_mb: 36,
  cold_start: false,
};

describe('the figures of a log', () => {
  test('are those of the REPORT line', () => {
    const log = [
      `START RequestId: ${REQUEST_ID} Version: $LATEST`,
      'hello',
      `END RequestId: ${REQUEST_ID}`,
      report(REQUEST_ID, FIGURES),
      '',
    ].join('\n');
    expect(readFigures(log, REQUEST_ID)).toEqual(WARM);
  });

  test('show a cold start with an init phase', () => {
    expect(readFigures(report(REQUEST_ID, `${FIGURES}\tInit Duration: 110.10 ms`), REQUEST_ID)).toEqual({
      ...WARM,
      init_duration_ms: 110.1,
      cold_start: true,
    });
  });

  test('show a cold start with a restore, which has a separate billed duration', () => {
    const figures = `${FIGURES}\tRestore Duration: 789.64 ms\tBilled Restore Duration: 163 ms`;
    expect(readFigures(report(REQUEST_ID, figures), REQUEST_ID)).toEqual({
      ...WARM,
      restore_duration_ms: 789.64,
      cold_start: true,
    });
  });

  test.each([
    ['a time-out', `${FIGURES}\tStatus: timeout`],
    ['an error', `${FIGURES}\tStatus: error\tError Type: Runtime.ExitError`],
  ])('are read along with the status of %s', (_, figures) => {
    expect(readFigures(report(REQUEST_ID, figures), REQUEST_ID)).toEqual(WARM);
  });

  test('are read before a trace', () => {
    const log = `${report(REQUEST_ID, FIGURES)}\nXRAY TraceId: 1-66d978e5-1\tSegmentId: 29c3\tSampled: true\t\n`;
    expect(readFigures(log, REQUEST_ID)).toEqual(WARM);
  });

  test('can be floats', () => {
    const figures =
      'Duration: 1233.96 ms\tBilled Duration: 1698.5 ms\tMemory Size: 256.0 MB\tMax Memory Used: 123.4 MB';
    expect(readFigures(report(REQUEST_ID, figures), REQUEST_ID)).toEqual({
      duration_ms: 1233.96,
      billed_duration_ms: 1698.5,
      memory_size_mb: 256,
      max_memory_used_mb: 123.4,
      cold_start: false,
    });
  });

  test('are absent if the line does not have them', () => {
    expect(readFigures(report(REQUEST_ID, 'Duration: 1.00 ms'), REQUEST_ID)).toEqual({
      duration_ms: 1,
      cold_start: false,
    });
  });

  test('are not those of a line that the function printed with another ID', () => {
    const forged = report('99999999-2222-4333-8444-555555555555', 'Duration: 1 ms\tInit Duration: 1 ms');
    expect(readFigures(`${report(REQUEST_ID, FIGURES)}\n${forged}\n`, REQUEST_ID)).toEqual(WARM);
    expect(readFigures(forged, REQUEST_ID)).toEqual({});
  });

  test('are not those of a line that the function printed with its own ID, because the real line is the last', () => {
    const forged = report(REQUEST_ID, 'Duration: 9999 ms\tBilled Duration: 9999 ms\tInit Duration: 1 ms');
    expect(readFigures(`${forged}\n${report(REQUEST_ID, FIGURES)}\n`, REQUEST_ID)).toEqual(WARM);
  });

  test('are not those of a line with a longer ID', () => {
    expect(readFigures(report(`${REQUEST_ID}0`, FIGURES), REQUEST_ID)).toEqual({});
  });

  test.each([
    ['END', `no line's endEND RequestId: ${REQUEST_ID}\n${report(REQUEST_ID, FIGURES)}\n`],
    ['REPORT', `no line's end${report(REQUEST_ID, FIGURES)}\n`],
    [
      'REPORT, after one that it printed',
      `${report(REQUEST_ID, 'Duration: 9 ms')}${report(REQUEST_ID, FIGURES)}\n`,
    ],
  ])('are read if the last output runs into %s', (_, log) => {
    expect(readFigures(log, REQUEST_ID)).toEqual(WARM);
  });

  test('are read from lines that end with CRLF', () => {
    const log = `START RequestId: ${REQUEST_ID} Version: 7\r\n${report(REQUEST_ID, FIGURES)}\r\n`;
    expect(readFigures(log, REQUEST_ID)).toEqual(WARM);
  });

  test('are unknown if REPORT is cut', () => {
    expect(readFigures(report(REQUEST_ID, FIGURES).slice(12), REQUEST_ID)).toEqual({});
  });

  test('are not read from text that is not a number', () => {
    expect(
      readFigures(report(REQUEST_ID, 'Duration: 1.2.3 ms\tBilled Duration: NaN ms'), REQUEST_ID),
    ).toEqual({
      cold_start: false,
    });
  });

  test.each([
    ['is empty', ''],
    ['has no REPORT', `START RequestId: ${REQUEST_ID} Version: 7\nhello\nEND RequestId: ${REQUEST_ID}\n`],
  ])('and the cold start are unknown if the log %s', (_, log) => {
    expect(readFigures(log, REQUEST_ID)).toEqual({});
  });

  test('are unknown if the response has no request ID', () => {
    expect(readFigures(report(REQUEST_ID, FIGURES), undefined)).toEqual({});
  });
});

const start = (id = REQUEST_ID): string => `START RequestId: ${id} Version: $LATEST`;
const INIT_START =
  'INIT_START Runtime Version: nodejs:24.v1\tRuntime Version ARN: arn:aws:lambda:eu-west-1::runtime:x';
const TIMED_OUT_INIT = 'INIT_REPORT Init Duration: 10007.31 ms\tPhase: init\tStatus: timeout\t';

describe('a cold start', () => {
  test.each([
    ['a started init', [INIT_START], {}],
    ['a failed init', [INIT_START, TIMED_OUT_INIT], { init_duration_ms: 10007.31 }],
    [
      "an init after output without a line's end",
      [`loading${TIMED_OUT_INIT}`],
      { init_duration_ms: 10007.31 },
    ],
    [
      'a second init',
      [TIMED_OUT_INIT, 'INIT_REPORT Init Duration: 3003.39 ms\tPhase: invoke\tStatus: timeout\t'],
      { init_duration_ms: 3003.39 },
    ],
    [
      'a restore',
      ['RESTORE_START Runtime Version: java:21.v1', 'RESTORE_REPORT Restore Duration: 520.25 ms'],
      { restore_duration_ms: 520.25 },
    ],
  ])('is shown by %s before START', (_, lines, figures) => {
    const log = [...lines, start(), report(REQUEST_ID, FIGURES), ''].join('\n');
    expect(readFigures(log, REQUEST_ID)).toEqual({ ...WARM, ...figures, cold_start: true });
  });

  test.each([
    ['after START', [start(), INIT_START, TIMED_OUT_INIT]],
    ['without START', [INIT_START, TIMED_OUT_INIT]],
    ["before another's START", [INIT_START, start('99999999-2222-4333-8444-555555555555')]],
  ])('is not shown by a line about an init %s, because the function can have printed it', (_, lines) => {
    expect(readFigures([...lines, report(REQUEST_ID, FIGURES)].join('\n'), REQUEST_ID)).toEqual(WARM);
  });

  test('is unknown if the log has an init and no REPORT', () => {
    expect(readFigures(`${INIT_START}\n${start()}\n`, REQUEST_ID)).toEqual({});
    expect(readReport(`${INIT_START}\n${start()}\n`, REQUEST_ID)).toBeUndefined();
  });

  test('in the report has precedence over an earlier init', () => {
    const log = [TIMED_OUT_INIT, start(), report(REQUEST_ID, `${FIGURES}\tInit Duration: 110.10 ms`)].join(
      '\n',
    );
    expect(readFigures(log, REQUEST_ID).init_duration_ms).toBe(110.1);
  });
});

const event = (type: string, record: object): string =>
  JSON.stringify({ time: '2026-01-02T03:04:05.678Z', type: `platform.${type}`, record });
const METRICS = { durationMs: 3.01, billedDurationMs: 4, memorySizeMB: 128, maxMemoryUsedMB: 36 };
const jsonReport = (given: object = {}): string =>
  event('report', { requestId: REQUEST_ID, status: 'success', metrics: METRICS, ...given });

describe('the figures of a JSON log', () => {
  test('are those of platform.report', () => {
    const log = [
      event('start', { requestId: REQUEST_ID, version: '$LATEST' }),
      JSON.stringify({ timestamp: '2026-01-02T03:04:05.678Z', level: 'INFO', message: 'hello' }),
      event('runtimeDone', { requestId: REQUEST_ID, status: 'success', metrics: { durationMs: 999 } }),
      jsonReport(),
      '',
    ].join('\n');
    expect(readFigures(log, REQUEST_ID)).toEqual(WARM);
  });

  test.each([
    ['an init', { initDurationMs: 463.512 }, { init_duration_ms: 463.512 }],
    [
      'a restore',
      { restoreDurationMs: 789.64, billedRestoreDurationMs: 163 },
      { restore_duration_ms: 789.64 },
    ],
  ])('show a cold start with %s', (_, metrics, figures) => {
    const log = jsonReport({ metrics: { ...METRICS, ...metrics } });
    expect(readFigures(log, REQUEST_ID)).toEqual({ ...WARM, ...figures, cold_start: true });
  });

  test.each([
    ['initStart', { phase: 'init' }, {}],
    [
      'initReport',
      { phase: 'init', status: 'success', metrics: { durationMs: 125.33 } },
      { init_duration_ms: 125.33 },
    ],
    ['restoreStart', {}, {}],
    ['restoreReport', { status: 'success', metrics: { durationMs: 120.5 } }, { restore_duration_ms: 120.5 }],
  ])('show a cold start with platform.%s only before platform.start', (type, record, figures) => {
    const began = event('start', { requestId: REQUEST_ID });
    const before = [event(type, record), began, jsonReport()].join('\n');
    const after = [began, event(type, record), jsonReport()].join('\n');
    expect(readFigures(before, REQUEST_ID)).toEqual({ ...WARM, ...figures, cold_start: true });
    expect(readFigures(after, REQUEST_ID)).toEqual(WARM);
  });

  test.each([
    ["follows output without a line's end", `no end${jsonReport()}`],
    ['follows output that looks like the start of it', `{"time":1,{"time":"x${jsonReport()}`],
    [
      'follows one that the function printed',
      `${jsonReport({ metrics: { durationMs: 9 } })}\n${jsonReport()}`,
    ],
    [
      'follows a REPORT line that the function printed',
      `${report(REQUEST_ID, 'Duration: 9 ms')}\n${jsonReport()}`,
    ],
    [
      'follows a first line that was cut',
      `${jsonReport({ metrics: { durationMs: 9 } }).slice(9)}\n${jsonReport()}`,
    ],
    ['ends in CRLF', `${jsonReport()}\r\n`],
    ['is before that of another invocation', `${jsonReport()}\n${jsonReport({ requestId: 'another' })}`],
  ])('are those of a report that %s', (_, log) => {
    expect(readFigures(log, REQUEST_ID)).toEqual(WARM);
  });

  test('are not those that a function printed before REPORT in a text log', () => {
    const log = `${jsonReport({ metrics: { durationMs: 9 } })}\n${report(REQUEST_ID, FIGURES)}\n`;
    expect(readFigures(log, REQUEST_ID)).toEqual(WARM);
  });

  test.each([
    ['of another invocation', jsonReport({ requestId: 'another' })],
    ['that was cut', jsonReport().slice(0, -1)],
    ['without its type', JSON.stringify({ time: 'x', record: { requestId: REQUEST_ID, metrics: METRICS } })],
    ['of a type that objects know', JSON.stringify({ time: 'x', type: '__proto__' })],
  ])('are unknown in a report %s', (_, log) => {
    expect(readFigures(log, REQUEST_ID)).toEqual({});
  });

  test.each([
    ['texts', { durationMs: '3' }],
    ['missing', undefined],
    ['a list', [3]],
  ])('are absent if the metrics are %s', (_, metrics) => {
    expect(readFigures(jsonReport({ metrics }), REQUEST_ID)).toEqual({ cold_start: false });
  });
});

describe('a report', () => {
  test.each([
    ['nothing', '', {}],
    ['a time-out', '\tStatus: timeout', { status: 'timeout' }],
    [
      'an error',
      '\tStatus: error\tError Type: Runtime.OutOfMemory',
      { status: 'error', errorType: 'Runtime.OutOfMemory' },
    ],
    ['a status that nobody knows', '\tStatus: odd', {}],
  ])('in the text format has %s along with the figures', (_, text, said) => {
    expect(readReport(`${report(REQUEST_ID, FIGURES + text).trimEnd()}\r\n`, REQUEST_ID)).toEqual({
      ...WARM,
      ...said,
    });
  });

  test.each(['success', 'error', 'failure', 'timeout'])(
    'in the JSON format has %s along with the figures',
    (status) => {
      const log = jsonReport({ status, errorType: 'Runtime.ExitError' });
      expect(readReport(log, REQUEST_ID)).toEqual({ ...WARM, status, errorType: 'Runtime.ExitError' });
      expect(readFigures(log, REQUEST_ID)).toEqual(WARM);
    },
  );

  test.each([
    ['text', [TIMED_OUT_INIT, start(), report(REQUEST_ID, FIGURES)]],
    [
      'JSON',
      [
        event('initReport', { status: 'timeout', metrics: { durationMs: 10007.31 } }),
        event('start', { requestId: REQUEST_ID }),
        event('report', { requestId: REQUEST_ID, metrics: METRICS }),
      ],
    ],
  ])('in the %s format has the status of the preceding init', (_, lines) => {
    expect(readReport(lines.join('\n'), REQUEST_ID)).toEqual({
      ...WARM,
      init_duration_ms: 10007.31,
      cold_start: true,
      initStatus: 'timeout',
    });
    expect(readFigures(lines.join('\n'), REQUEST_ID)).not.toHaveProperty('initStatus');
  });

  test('is undefined without a report or a request ID', () => {
    expect(readReport('hello\n', REQUEST_ID)).toBeUndefined();
    expect(readReport(report(REQUEST_ID, FIGURES), undefined)).toBeUndefined();
  });
});

// Lambda's own tail has 4 KB, but the last event of a stream can have more, with any content.
heavyTest.each([
  '{"time":',
  '{"time":1,',
  `\tREPORT RequestId: ${REQUEST_ID}\t`,
  'INIT_REPORT Init Duration: 1',
  'INIT_REPORT Init Duration: 1 ms',
  '\r',
  '\tStatus: ',
  '\tDuration: 1',
])('a log of 6 MB of %j is read in linear time', (part) => {
  const log = part.repeat(6_000_000 / part.length);
  for (const text of [log, `${log}\n`, `REPORT RequestId: ${REQUEST_ID}\t${log}`]) {
    const before = performance.now();
    readReport(text, REQUEST_ID);
    readLogPlace(text);
    expect(performance.now() - before).toBeLessThan(5_000);
  }
});

describe('the location of a log', () => {
  test('is read from a log field that is JSON', () => {
    const place = { logGroup: '/aws/lambda/my-function', logStreamName: 'stream' };
    expect(readLogPlace(JSON.stringify(place))).toEqual(place);
  });

  test.each(['hello', '{', '{"logGroup":"x"}', '{"logGroup":1,"logStreamName":2}', jsonReport()])(
    'is not found in %s',
    (log) => {
      expect(readLogPlace(log)).toBeUndefined();
    },
  );
});

/** A tail of exactly 4,096 bytes that starts with these. */
const fullTail = (...start: readonly number[]): Uint8Array =>
  Buffer.concat([Buffer.from(start), Buffer.alloc(4096 - start.length, 'a')]);

describe('a log tail', () => {
  test('is text in UTF-8', () => {
    expect(decodeLogTail(Buffer.from('Zürich 😀\n'))).toBe('Zürich 😀\n');
  });

  test.each([
    ['one byte of é', [0xa9], 1],
    ['two bytes of €', [0x82, 0xac], 2],
    ['three bytes of 😀', [0x9f, 0x98, 0x80], 3],
  ])('that was cut and starts with %s is text without them', (_, halves, dropped) => {
    expect(decodeLogTail(fullTail(...halves))).toBe('a'.repeat(4096 - dropped));
  });

  test('that was cut at the start of a character is complete', () => {
    const text = decodeLogTail(fullTail(0xf0, 0x9f, 0x98, 0x80));
    expect(text).toBe(`😀${'a'.repeat(4092)}`);
  });

  test('that was not cut shows bytes that are not UTF-8', () => {
    expect(decodeLogTail(Buffer.from([0xa9, 0x61]))).toBe('\uFFFDa');
  });

  test.each([
    [4095, false],
    [4096, true],
  ])('of %i bytes was cut: %s', (length, cut) => {
    expect(isCut(Buffer.alloc(length, 'a'))).toBe(cut);
  });
});

describe('what a log tail has beyond a log that was read elsewhere', () => {
  const TAIL = 'START\none\ntwo\ntwo\nthree\nREPORT\n';

  test.each([
    ['nothing was read', [], 'START\none\ntwo\ntwo\nthree\nREPORT'],
    ['all of it was read', ['START', 'one', 'two', 'two', 'three', 'REPORT'], ''],
    ['its end is missing', ['START', 'one', 'two', 'two'], 'three\nREPORT'],
    ['one of two equal lines is missing', ['START', 'one', 'two'], 'two\nthree\nREPORT'],
    ['more was read before it', ['INIT', 'START', 'one'], 'two\ntwo\nthree\nREPORT'],
    ['what was read ends before it', ['older', 'lines'], 'START\none\ntwo\ntwo\nthree\nREPORT'],
  ])('%s', (_, read, rest) => {
    expect(linesBeyond(read, TAIL)).toBe(rest);
  });

  test('its first line may be the end of one', () => {
    expect(linesBeyond(['a long line', 'next'], 'line\nnext\nlast')).toBe('last');
  });
});
