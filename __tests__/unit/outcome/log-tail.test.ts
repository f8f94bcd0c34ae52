import { Buffer } from 'node:buffer';
import { describe, expect, test } from '@jest/globals';
import { decodeLogTail, isCut, readFigures } from '../../../src/outcome/log-tail.ts';
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

  test('show a cold start by an init', () => {
    expect(readFigures(report(REQUEST_ID, `${FIGURES}\tInit Duration: 110.10 ms`), REQUEST_ID)).toEqual({
      ...WARM,
      init_duration_ms: 110.1,
      cold_start: true,
    });
  });

  test('show a cold start by a restore, whose billed part is another figure', () => {
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
  ])('are read beside the status of %s', (_, figures) => {
    expect(readFigures(report(REQUEST_ID, figures), REQUEST_ID)).toEqual(WARM);
  });

  test('are read where a trace follows', () => {
    const log = `${report(REQUEST_ID, FIGURES)}\nXRAY TraceId: 1-66d978e5-1\tSegmentId: 29c3\tSampled: true\t\n`;
    expect(readFigures(log, REQUEST_ID)).toEqual(WARM);
  });

  test('may be floats', () => {
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

  test('are absent where the line has them not', () => {
    expect(readFigures(report(REQUEST_ID, 'Duration: 1.00 ms'), REQUEST_ID)).toEqual({
      duration_ms: 1,
      cold_start: false,
    });
  });

  test('are not those of a line that the function printed with another id', () => {
    const forged = report('99999999-2222-4333-8444-555555555555', 'Duration: 1 ms\tInit Duration: 1 ms');
    expect(readFigures(`${report(REQUEST_ID, FIGURES)}\n${forged}\n`, REQUEST_ID)).toEqual(WARM);
    expect(readFigures(forged, REQUEST_ID)).toEqual({});
  });

  test('are not those of a line that the function printed with its own id, for the real one is the last', () => {
    const forged = report(REQUEST_ID, 'Duration: 9999 ms\tBilled Duration: 9999 ms\tInit Duration: 1 ms');
    expect(readFigures(`${forged}\n${report(REQUEST_ID, FIGURES)}\n`, REQUEST_ID)).toEqual(WARM);
  });

  test.each([
    ['quotes it', `the line was ${report(REQUEST_ID, FIGURES)}`],
    ['names a longer id', report(`${REQUEST_ID}0`, FIGURES)],
  ])('are not those of a line that %s', (_, line) => {
    expect(readFigures(line, REQUEST_ID)).toEqual({});
  });

  test.each([
    ['is empty', ''],
    ['has no REPORT', `START RequestId: ${REQUEST_ID} Version: 7\nhello\nEND RequestId: ${REQUEST_ID}\n`],
  ])('are unknown, the cold start too, where the log %s', (_, log) => {
    expect(readFigures(log, REQUEST_ID)).toEqual({});
  });

  test('are unknown where the answer has no request id', () => {
    expect(readFigures(report(REQUEST_ID, FIGURES), undefined)).toEqual({});
  });
});

/** A tail of exactly 4,096 bytes that begins with these. */
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
  ])('that was cut and begins with %s is text without them', (_, halves, dropped) => {
    expect(decodeLogTail(fullTail(...halves))).toBe('a'.repeat(4096 - dropped));
  });

  test('that was cut at a character’s start is whole', () => {
    const text = decodeLogTail(fullTail(0xf0, 0x9f, 0x98, 0x80));
    expect(text).toBe(`😀${'a'.repeat(4092)}`);
  });

  test('that was not cut keeps what is no UTF-8 visible', () => {
    expect(decodeLogTail(Buffer.from([0xa9, 0x61]))).toBe('\uFFFDa');
  });

  test.each([
    [4095, false],
    [4096, true],
  ])('of %i bytes was cut: %s', (length, cut) => {
    expect(isCut(Buffer.alloc(length, 'a'))).toBe(cut);
  });
});
