import { Buffer } from 'node:buffer';
import { describe, expect, test } from '@jest/globals';
import { outputsOf } from '../../../src/report/outputs.ts';
import { failed, notInvoked, REQUEST_ID, succeeded, unknown } from './factory.ts';

const FILE = '/temp/results.jsonl';

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
    expect(outputsOf([judgement], FILE)).toEqual({
      outcome: 'succeeded',
      status_code: '200',
      function_error: '',
      executed_version: '7',
      log_result: 'hello\n',
      result: '{ "a": 1 }',
      request_id: REQUEST_ID,
      duration_ms: '3.01',
      billed_duration_ms: '4',
      init_duration_ms: '110.1',
      memory_size_mb: '128',
      max_memory_used_mb: '36',
      attempts: '2',
      durable_execution_arn: 'arn:durable',
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
    expect(outputsOf([judgement], FILE)).toEqual({
      outcome: 'not_invoked',
      status_code: '',
      function_error: '',
      executed_version: '',
      log_result: '',
      result: '',
      request_id: '',
      duration_ms: '',
      billed_duration_ms: '',
      init_duration_ms: '',
      memory_size_mb: '',
      max_memory_used_mb: '',
      attempts: '0',
      durable_execution_arn: '',
      results: JSON.stringify([judgement.outcome]),
      results_file: FILE,
      total: '1',
      succeeded: '0',
      failed: '1',
      cold_starts: '0',
    });
  });

  test('of a function error have the error and the response', () => {
    expect(outputsOf([failed({ errorMessage: 'boom' })], FILE)).toMatchObject({
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
      expect(outputsOf([judgement], FILE)['result']).toBe(text);
    },
  );

  test('keep a figure of zero', () => {
    expect(outputsOf([succeeded({ init_duration_ms: 0 })], FILE)['init_duration_ms']).toBe('0');
  });

  test('of several invocations are the common ones alone', () => {
    const judgements = [
      succeeded({ cold_start: true }),
      succeeded({ cold_start: false }),
      failed({}, { cold_start: true }),
      notInvoked(),
      unknown(),
    ];
    expect(outputsOf(judgements, FILE)).toEqual({
      results: JSON.stringify(judgements.map(({ outcome }) => outcome)),
      results_file: FILE,
      total: '5',
      succeeded: '2',
      failed: '3',
      cold_starts: '2',
    });
  });
});
