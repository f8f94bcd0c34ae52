import { Buffer } from 'node:buffer';
import { describe, expect, test } from '@jest/globals';
import type { Judgement } from '../../../src/outcome/outcome.ts';
import { Ledger } from '../../../src/report/ledger.ts';
import { noteOf } from '../../../src/report/log.ts';
import { outputsOf } from '../../../src/report/outputs.ts';
import { failed, notInvoked, REQUEST_ID, succeeded, unknown } from './factory.ts';

const FILE = '/temp/results.jsonl';
const ledgerOf = (judgements: readonly Judgement[]): Ledger => {
  const ledger = new Ledger(judgements.length);
  for (const judgement of judgements) {
    const shownJson = JSON.stringify(judgement.outcome);
    ledger.add({ judgement, shown: judgement, shownJson }, noteOf);
  }
  return ledger;
};
const valuesOf = (judgements: readonly Judgement[], response?: string) =>
  outputsOf(ledgerOf(judgements), { results: FILE, response }).values;

describe('the outputs', () => {
  test('of one invocation are all its figures as text', () => {
    const judgement = succeeded(
      {
        executed_version: '7',
        result: { a: 1 },
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
    expect(valuesOf([judgement])).toEqual({
      outcome: 'succeeded',
      status_code: '200',
      function_error: '',
      executed_version: '7',
      log_result: 'hello\n',
      result: '{ "a": 1 }',
      result_file: '',
      request_id: REQUEST_ID,
      duration_ms: '3.01',
      billed_duration_ms: '4',
      init_duration_ms: '110.1',
      memory_size_mb: '128',
      max_memory_used_mb: '36',
      attempts: '2',
      durable_execution_arn: 'arn:durable',
      query_result: '',
      results: JSON.stringify([judgement.outcome]),
      results_file: FILE,
      total: '1',
      succeeded: '1',
      failed: '0',
      cold_starts: '1',
    });
  });

  test('of a refusal are empty where they do not apply', () => {
    const judgement = notInvoked({ attempts: 0 });
    expect(valuesOf([judgement])).toEqual({
      outcome: 'not_invoked',
      status_code: '',
      function_error: '',
      executed_version: '',
      log_result: '',
      result: '',
      result_file: '',
      request_id: '',
      duration_ms: '',
      billed_duration_ms: '',
      init_duration_ms: '',
      memory_size_mb: '',
      max_memory_used_mb: '',
      attempts: '0',
      durable_execution_arn: '',
      query_result: '',
      results: JSON.stringify([judgement.outcome]),
      results_file: FILE,
      total: '1',
      succeeded: '0',
      failed: '1',
      cold_starts: '0',
    });
  });

  test('of a function error have the error and the response', () => {
    expect(valuesOf([failed({ errorMessage: 'boom' })])).toMatchObject({
      outcome: 'function_error',
      function_error: 'Unhandled',
      result: '{"errorMessage":"boom"}',
      succeeded: '0',
      failed: '1',
    });
  });

  test.each(['null', '0', 'false', '""', 'no JSON', '{"a":1.0}', '\uFEFF{}'])(
    'have the response as received: %j',
    (text) => {
      const judgement = succeeded({ result: 'parsed' }, { response: Buffer.from(text) });
      expect(valuesOf([judgement])['result']).toBe(text);
    },
  );

  test('keep a figure of zero', () => {
    expect(valuesOf([succeeded({ init_duration_ms: 0 })])['init_duration_ms']).toBe('0');
  });

  test('of several invocations are the common ones alone', () => {
    const judgements = [
      succeeded({ cold_start: true }),
      succeeded({ cold_start: false }),
      failed({}, { cold_start: true }),
      notInvoked(),
      unknown(),
    ];
    expect(valuesOf(judgements)).toEqual({
      results: JSON.stringify(judgements.map(({ outcome }) => outcome)),
      results_file: FILE,
      total: '5',
      succeeded: '2',
      failed: '3',
      cold_starts: '2',
    });
  });

  test.each([
    ['text', 'text'],
    ['', ''],
    [7, '7'],
    [true, 'true'],
    [null, 'null'],
    [{ a: [1] }, '{"a":[1]}'],
  ])('have the value of the query %j as %j', (value, text) => {
    expect(valuesOf([succeeded({ query_result: value })])['query_result']).toBe(text);
  });

  test('name the file of the response', () => {
    expect(valuesOf([succeeded()], '/workspace/response.json')['result_file']).toBe(
      '/workspace/response.json',
    );
  });
});

describe('an output that is too long for a runner', () => {
  const long = succeeded({ result: 'parsed' }, { response: Buffer.from('x'.repeat(1_000_001)) });

  test('is empty, and the file that has it is named', () => {
    const { values, tooLong } = outputsOf(ledgerOf([long]), { results: FILE, response: '/temp/response' });
    expect(values['result']).toBe('');
    expect(values['result_file']).toBe('/temp/response');
    expect(tooLong).toEqual([{ name: 'result', bytes: 1_000_001, file: '/temp/response' }]);
  });

  test('is one of more than 1,000,000 bytes, not characters', () => {
    const whole = succeeded({}, { response: Buffer.from('é'.repeat(500_000)) });
    const over = succeeded({}, { response: Buffer.from(`${'é'.repeat(500_000)}x`) });
    expect(outputsOf(ledgerOf([whole]), { results: FILE }).tooLong).toEqual([]);
    expect(outputsOf(ledgerOf([over]), { results: FILE }).tooLong.map(({ name }) => name)).toEqual([
      'result',
    ]);
  });

  test('leaves results to the results file', () => {
    const { values, tooLong } = outputsOf(ledgerOf([succeeded({ result: 'x'.repeat(1_000_000) })]), {
      results: FILE,
    });
    expect(values['results']).toBe('');
    expect(values['results_file']).toBe(FILE);
    expect(tooLong).toEqual([{ name: 'results', bytes: undefined, file: FILE }]);
  });
});

describe('a streamed response', () => {
  const tooLong = (judgement: Judgement) =>
    outputsOf(ledgerOf([judgement]), { results: FILE, response: '/w/response' }).tooLong;

  test('that was too long to be held is in its file alone', () => {
    const judgement = succeeded({}, { response: new Uint8Array(), responseBytes: 200_000_000 });
    expect(tooLong(judgement)).toEqual([{ name: 'result', bytes: 200_000_000, file: '/w/response' }]);
    expect(valuesOf([judgement], '/w/response')).toMatchObject({ result: '', result_file: '/w/response' });
  });

  test('that broke off is not taken for one', () => {
    expect(tooLong(unknown({}, { responseBytes: 200_000_000 }))).toEqual([]);
  });
});
