import { Buffer } from 'node:buffer';
import { describe, expect, test } from '@jest/globals';
import type { MaskedEvaluation } from '../../../src/outcome/masks.ts';
import {
  type Annotation,
  AnnotationList,
  annotationsFor,
  invalidInput,
} from '../../../src/report/annotations.ts';
import { notWritten } from '../../../src/report/not-written.ts';
import { failed, notInvoked, REQUEST_ID, succeeded, unknown } from './factory.ts';

const ERROR = {
  errorType: 'TypeError',
  errorMessage: 'boom',
  trace: [
    'TypeError: boom',
    '    at one (file:///var/task/index.mjs:1:1)',
    '    at two (file:///var/task/index.mjs:2:2)',
    '    at three (file:///var/task/index.mjs:3:3)',
    '    at four (file:///var/task/index.mjs:4:4)',
    '    at Runtime.handleOnce (file:///var/runtime/index.mjs:1:1)',
  ],
};
const LENIENT = { failsStep: false };

function annotated(
  evaluations: readonly MaskedEvaluation[],
  ofStep: readonly Annotation[] = [],
): Annotation[] {
  const list = new AnnotationList();
  for (const evaluation of evaluations) list.add(...annotationsFor(evaluation));
  return list.allWith(ofStep);
}

/** The page with the log events of one invocation. */
const LOG = `https://eu-west-1.console.aws.amazon.com/cloudwatch/home?region=eu-west-1#logsV2:log-groups/log-group/$252Faws$252Flambda$252Fmy-function/log-events$3FfilterPattern$3D$2522${REQUEST_ID}$2522`;

describe('an annotation', () => {
  test('of a function error has the error, three of its own frames, the function, the request ID and the log', () => {
    expect(annotated([failed(ERROR, { log_result: 'a log' }, { label: 'my-function:7' })])).toEqual([
      {
        level: 'error',
        title: 'Lambda Function Execution Error',
        body: [
          'TypeError: boom',
          '    at one (file:///var/task/index.mjs:1:1)',
          '    at two (file:///var/task/index.mjs:2:2)',
          '    at three (file:///var/task/index.mjs:3:3)',
          'Function: my-function:7',
          `Request ID: ${REQUEST_ID}`,
          `Log: ${LOG}`,
        ].join('\n'),
      },
    ]);
  });

  test('of a function error links a log that was not requested, so that no second run is needed', () => {
    const [annotation] = annotated([failed('boom')]);
    expect(annotation?.body).toBe(`boom\nFunction: my-function\nRequest ID: ${REQUEST_ID}\nLog: ${LOG}`);
  });

  test('of a function error is a warning if the step does not fail', () => {
    expect(annotated([failed(ERROR, {}, LENIENT)])).toEqual([
      expect.objectContaining({ level: 'warning', title: 'Lambda Function Execution Error' }),
    ]);
  });

  test('of a rejection has what happened, why, and the fix', () => {
    expect(annotated([notInvoked({ request_id: REQUEST_ID })])).toEqual([
      {
        level: 'error',
        title: 'Failed to Invoke Lambda Function',
        body: `my-function: AccessDeniedException: not authorized\nAllow it.\nRequest ID: ${REQUEST_ID}`,
      },
    ]);
  });

  test('of a lost response has what happened, why, and the fix', () => {
    expect(annotated([unknown()])).toEqual([
      {
        level: 'error',
        title: 'Lambda Outcome Unknown',
        body: 'my-function: ECONNRESET: socket hang up\nLook at the log.',
      },
    ]);
  });

  test('is not written for a success, even with a cold start', () => {
    expect(annotated([succeeded({ cold_start: true, init_duration_ms: 100 }), succeeded()])).toEqual([]);
  });

  test('of a success warns of an HTTP error in the response that nothing checks', () => {
    const [annotation, ...others] = annotated([succeeded({ response: { statusCode: 503, body: '' } })]);
    expect(others).toEqual([]);
    expect(annotation).toEqual({
      level: 'warning',
      title: 'HTTP Error in Response',
      body: 'my-function: the response has statusCode 503, and the step expects nothing of it.\nTo fail the step, set expect: response.statusCode < `400`',
    });
  });

  test.each<[string, Parameters<typeof succeeded>[0]]>([
    ['a status below 400', { response: { statusCode: 302 } }],
    ['a number that is no HTTP status', { response: { statusCode: 4000 } }],
    ['a text', { response: { statusCode: '500' } }],
    ['an expectation', { response: { statusCode: 500 }, expectations: [] }],
    ['an HTTP request', { response: { statusCode: 404 }, http: { status: 404, headers: {}, body: '' } }],
  ])('of a success with %s is not written', (_, fields) => {
    expect(annotated([succeeded(fields)])).toEqual([]);
  });

  test('of many warnings counts the rest', () => {
    const warned = Array.from({ length: 12 }, () => succeeded({ response: { statusCode: 500 } }));
    const annotations = annotated(warned);
    expect(annotations).toHaveLength(10);
    expect(annotations.at(-1)?.body).toMatch(/\n… and 2 more warnings\.$/);
  });

  test('of a long error has as much of the message and frames as a runner keeps', () => {
    const trace = [
      `    at one (file:///var/task/${'y'.repeat(9_000)}:1:1)`,
      '    at two (file:///var/task/two.mjs:1:1)',
    ];
    const [annotation] = annotated([
      failed({ errorType: 'Error', errorMessage: 'x'.repeat(200_000), trace }),
    ]);
    const [message = '', one = '', two, ...rest] = annotation?.body.split('\n') ?? [];
    expect(message).toMatch(/^Error: x{3100,3400}…$/);
    expect(one).toMatch(/^ {4}at one \(file:\/{3}var\/task\/y{470,512}…?$/);
    expect(two).toBe('    at two (file:///var/task/two.mjs:1:1)');
    expect(rest).toContain(`Request ID: ${REQUEST_ID}`);
  });

  test('of a long message is not cut inside a character', () => {
    for (const start of ['', 'x']) {
      const [annotation] = annotated([failed(`${start}${'😀'.repeat(3_000)}`)]);
      expect(annotation?.body.isWellFormed()).toBe(true);
      expect(annotation?.body.split('\n')[0]).toMatch(/^x?😀+…$/u);
    }
  });

  test.each([
    [100, `${'x'.repeat(100)}`],
    [5_000_000, `${'x'.repeat(2_048)}… (the first 2 KB of 5,000,000 bytes)`],
  ])('of an expectation shows the actual value and %i bytes of the response, up to 2 KB', (bytes, shown) => {
    const expectation = { expression: 'response.a == `1`', met: false, value: 2 };
    const evaluation = succeeded(
      {},
      {
        failsStep: true,
        response: Buffer.alloc(bytes, 'x'),
        unmet: [{ expectation, why: 'Actual:   2\nExpected: 1' }],
      },
    );
    const outcome = { ...evaluation.outcome, outcome: 'expectation_failed', status_code: 200 } as const;
    const [annotation] = annotated([{ ...evaluation, outcome }]);
    expect(annotation?.title).toBe('Expectation Not Met');
    expect(annotation?.body).toBe(
      [
        'Expected response.a == `1`',
        '    Actual:   2',
        '    Expected: 1',
        'Function: my-function',
        `Request ID: ${REQUEST_ID}`,
        `Log: ${LOG}`,
        `Response: ${shown}`,
      ].join('\n'),
    );
  });

  test('of invalid inputs has all problems, one per line', () => {
    expect(invalidInput(['one is wrong.', 'two is wrong.'])).toEqual({
      level: 'error',
      title: 'Invalid Input',
      body: 'one is wrong.\ntwo is wrong.',
    });
  });
});

describe('annotations', () => {
  const labelled = (count: number) =>
    Array.from({ length: count }, (_, at) => notInvoked({ index: at }, { label: `function-${at}` }));

  test('are written in the order of the plan, up to ten', () => {
    const annotations = annotated([succeeded(), ...labelled(10)]);
    expect(annotations.map(({ body }) => body.split(':')[0])).toEqual([
      'function-0',
      'function-1',
      'function-2',
      'function-3',
      'function-4',
      'function-5',
      'function-6',
      'function-7',
      'function-8',
      'function-9',
    ]);
    expect(annotations.at(-1)?.body).not.toContain('more');
  });

  test.each([
    [11, '\n… and 1 more failed.'],
    [60, '\n… and 50 more failed.'],
  ])('for %i failures are limited to ten, and the last counts the rest', (count, rest) => {
    const annotations = annotated(labelled(count));
    expect(annotations).toHaveLength(10);
    expect(annotations.filter(({ body }) => body.includes('more failed'))).toEqual([
      expect.objectContaining({ body: expect.stringMatching(/^function-9: /) }),
    ]);
    expect(annotations.at(-1)?.body.endsWith(rest)).toBe(true);
  });

  test('for the step itself come first and are all kept', () => {
    const ofStep = (['outputs', 'outcomes_file'] as const).map((report) =>
      notWritten({ report, error: new Error('full') }),
    );
    for (const [count, more] of [
      [8, undefined],
      [9, '… and 1 more failed.'],
      [60, '… and 52 more failed.'],
    ] as const) {
      const annotations = annotated(labelled(count), ofStep);
      expect(annotations).toHaveLength(10);
      expect(annotations.slice(0, 2)).toEqual(ofStep);
      expect(annotations.at(-1)?.body.split('\n… and ')[1]).toBe(more?.slice('… and '.length));
    }
  });

  test.each([
    [11, '\n… and 1 more warning.'],
    [12, '\n… and 2 more warnings.'],
  ])('for %i warnings are counted as warnings', (count, rest) => {
    const bodies = annotated(Array.from({ length: count }, () => failed(ERROR, {}, LENIENT))).map(
      ({ body }) => body,
    );
    expect(bodies).toHaveLength(10);
    expect(bodies.at(-1)?.endsWith(rest)).toBe(true);
  });

  test('that are only warnings do not displace the reason why the step failed', () => {
    const warnings = Array.from({ length: 12 }, () => failed(ERROR, {}, LENIENT));
    const levels = annotated([...warnings, notInvoked()]).map(({ level }) => level);
    expect(levels.filter((level) => level === 'error')).toEqual(['error']);
  });
});

test('a very long list of problems is cut, and the rest is counted', () => {
  const { body } = invalidInput(Array.from({ length: 103 }, (_, at) => `problem ${at}`));
  expect(body.split('\n')).toHaveLength(101);
  expect(body.endsWith('problem 99\n… and 3 more problems.')).toBe(true);
});
