import { Buffer } from 'node:buffer';
import { describe, expect, test } from '@jest/globals';
import type { Evaluation } from '../../../src/outcome/outcome.ts';
import { outputsFor } from '../hostile/writers.ts';
import { failed, LOG_URL, notInvoked, REQUEST_ID, succeeded, unknown } from './factory.ts';

const FILE = '/temp/outcomes.jsonl';
const valuesOf = (evaluations: readonly Evaluation[], response?: string) =>
  outputsFor(evaluations, { outcomes: FILE, response }).values;

describe('the outputs', () => {
  test('of one invocation have all its figures as text', () => {
    const evaluation = succeeded(
      {
        executed_version: '7',
        response: { a: 1 },
        log_result: 'hello\n',
        durable_execution_arn: 'arn:durable',
        duration_ms: 3.01,
        billed_duration_ms: 4,
        init_duration_ms: 110.1,
        memory_size_mb: 128,
        max_memory_used_mb: 36,
        cold_start: true,
        attempts: 2,
      },
      { response: Buffer.from('{ "a": 1 }') },
    );
    expect(valuesOf([evaluation])).toEqual({
      outcome: 'succeeded',
      status_code: '200',
      function_error: '',
      executed_version: '7',
      log_result: 'hello\n',
      response: '{ "a": 1 }',
      response_file: '',
      request_id: REQUEST_ID,
      log_url: LOG_URL,
      log_file: '',
      duration_ms: '3.01',
      billed_duration_ms: '4',
      init_duration_ms: '110.1',
      memory_size_mb: '128',
      max_memory_used_mb: '36',
      attempts: '2',
      durable_execution_arn: 'arn:durable',
      query_result: '',
      outcomes: JSON.stringify([evaluation.outcome]),
      outcomes_file: FILE,
      total: '1',
      succeeded: '1',
      failed: '0',
      cold_starts: '1',
      resumed: '0',
    });
  });

  test('of a rejection are empty if they do not apply', () => {
    const evaluation = notInvoked({ attempts: 0 });
    expect(valuesOf([evaluation])).toEqual({
      outcome: 'not_invoked',
      status_code: '',
      function_error: '',
      executed_version: '',
      log_result: '',
      response: '',
      response_file: '',
      request_id: '',
      log_url: '',
      log_file: '',
      duration_ms: '',
      billed_duration_ms: '',
      init_duration_ms: '',
      memory_size_mb: '',
      max_memory_used_mb: '',
      attempts: '0',
      durable_execution_arn: '',
      query_result: '',
      outcomes: JSON.stringify([evaluation.outcome]),
      outcomes_file: FILE,
      total: '1',
      succeeded: '0',
      failed: '1',
      cold_starts: '0',
      resumed: '0',
    });
  });

  test('of a function error have the error and the response', () => {
    expect(valuesOf([failed({ errorMessage: 'boom' })])).toMatchObject({
      outcome: 'function_error',
      function_error: 'Unhandled',
      response: '{"errorMessage":"boom"}',
      succeeded: '0',
      failed: '1',
    });
  });

  test.each(['null', '0', 'false', '""', 'no JSON', '{"a":1.0}', '\uFEFF{}'])(
    'have the response as received: %j',
    (text) => {
      const evaluation = succeeded({ response: 'parsed' }, { response: Buffer.from(text) });
      expect(valuesOf([evaluation])['response']).toBe(text);
    },
  );

  test('keep a figure of zero', () => {
    expect(valuesOf([succeeded({ init_duration_ms: 0 })])['init_duration_ms']).toBe('0');
  });

  test('of several invocations are only the common ones', () => {
    const evaluations = [
      succeeded({ cold_start: true }),
      succeeded({ cold_start: false }),
      failed({}, { cold_start: true }),
      notInvoked(),
      unknown(),
    ];
    expect(valuesOf(evaluations)).toEqual({
      outcomes: JSON.stringify(evaluations.map(({ outcome }) => outcome)),
      outcomes_file: FILE,
      total: '5',
      succeeded: '2',
      failed: '3',
      cold_starts: '2',
      resumed: '0',
    });
  });

  test.each([
    ['text', 'text'],
    ['', ''],
    [7, '7'],
    [true, 'true'],
    [null, 'null'],
    [{ a: [1] }, '{"a":[1]}'],
  ])('have the value of the query for %j as %j', (value, text) => {
    expect(valuesOf([succeeded({ query_result: value })])['query_result']).toBe(text);
  });

  test('have the path of the response file', () => {
    expect(valuesOf([succeeded()], '/workspace/response.json')['response_file']).toBe(
      '/workspace/response.json',
    );
  });
});

describe('an output that is too long for a runner', () => {
  const long = succeeded({ response: 'parsed' }, { response: Buffer.from('x'.repeat(1_000_001)) });

  test('is empty, and the file with its value is named', () => {
    const { values, tooLong } = outputsFor([long], { outcomes: FILE, response: '/temp/response' });
    expect(values['response']).toBe('');
    expect(values['response_file']).toBe('/temp/response');
    expect(tooLong).toEqual([{ name: 'response', bytes: 1_000_001, file: '/temp/response' }]);
    const named = outputsFor([long], { outcomes: FILE, response: '/w/response', isResponseNamed: true });
    expect(named.values['response']).toBe('');
    expect(named.tooLong).toEqual([]);
  });

  test('is one of more than 1,000,000 bytes, not characters', () => {
    const whole = succeeded({}, { response: Buffer.from('é'.repeat(500_000)) });
    const over = succeeded({}, { response: Buffer.from(`${'é'.repeat(500_000)}x`) });
    expect(outputsFor([whole], { outcomes: FILE }).tooLong).toEqual([]);
    expect(outputsFor([over], { outcomes: FILE }).tooLong.map(({ name }) => name)).toEqual(['response']);
  });

  test('refers to the outcomes file for outcomes', () => {
    const { values, tooLong } = outputsFor([succeeded({ response: 'x'.repeat(1_000_000) })], {
      outcomes: FILE,
    });
    expect(values['outcomes']).toBe('');
    expect(values['outcomes_file']).toBe(FILE);
    expect(tooLong).toEqual([{ name: 'outcomes', bytes: undefined, file: FILE }]);
  });
});

describe('a streamed response', () => {
  const tooLong = (evaluation: Evaluation) =>
    outputsFor([evaluation], { outcomes: FILE, response: '/w/response' }).tooLong;

  test('that is too long for memory is only in its file', () => {
    const evaluation = succeeded({}, { response: new Uint8Array(), responseBytes: 200_000_000 });
    expect(tooLong(evaluation)).toEqual([{ name: 'response', bytes: 200_000_000, file: '/w/response' }]);
    expect(valuesOf([evaluation], '/w/response')).toMatchObject({
      response: '',
      response_file: '/w/response',
    });
  });

  test('that was interrupted is not used as the response', () => {
    expect(tooLong(unknown({}, { responseBytes: 200_000_000 }))).toEqual([]);
  });
});
