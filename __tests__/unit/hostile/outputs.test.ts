import '../realm.ts';
import { Buffer } from 'node:buffer';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { InvocationResult } from '../../../src/lambda/invocation.ts';
import { isFunctionResponse } from '../../../src/outcome/document.ts';
import { COMMON_OUTPUTS, isTooLong, SINGLE_OUTPUTS, writeOutputs } from '../../../src/report/outputs.ts';
import { SEED } from '../../seed.ts';
import { responseOf, resultOf } from '../outcome/factory.ts';
import { hostileBytes, hostileText } from './arbitraries.ts';
import { onTheWire, stdoutOf } from './capture.ts';
import { evaluating, hostileResult } from './evaluations.ts';
import { commandsIn, judgeOutput, outputsIn } from './runner-rules.ts';
import { outputsFor } from './writers.ts';

const FILES = { outcomes: '/tmp/outcomes.jsonl', response: '/tmp/response' };
const LIMIT = 1_000_000;

const folder = mkdtempSync(path.join(tmpdir(), 'outputs-'));
const file = path.join(folder, 'output');
const before = process.env['GITHUB_OUTPUT'];
beforeAll(() => {
  process.env['GITHUB_OUTPUT'] = file;
});
afterAll(() => {
  if (before === undefined) delete process.env['GITHUB_OUTPUT'];
  else process.env['GITHUB_OUTPUT'] = before;
  rmSync(folder, { recursive: true });
});

const evaluated = await evaluating({ query: 'response' });

/** The outputs that a runner reads, and the text printed while they were written. */
function written(deliveries: readonly InvocationResult[]) {
  writeFileSync(file, '');
  const stdout = stdoutOf(() =>
    writeOutputs(
      outputsFor(
        deliveries.map((ended) => evaluated(ended)),
        FILES,
      ),
    ),
  );
  return { stdout, outputs: outputsIn(readFileSync(file, 'utf8')) };
}

const asText = (value: unknown): string =>
  value === undefined ? '' : onTheWire(typeof value === 'string' ? value : JSON.stringify(value));
const asReceived = (bytes: Uint8Array): string => new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes);

describe('outputs', () => {
  test('are exactly the declared ones, each written once with its exact value', () => {
    const all = fc.property(hostileResult, (ended) => {
      const { outputs, stdout } = written([ended]);
      expect(stdout).toBe('');
      expect(outputs.map(([name]) => name)).toEqual([...SINGLE_OUTPUTS, ...COMMON_OUTPUTS]);
      const values = Object.fromEntries(outputs);
      const { outcome } = evaluated(ended);
      const { result } = ended;
      const came = result.kind === 'failure' ? undefined : result;
      const isResponse = came !== undefined && isFunctionResponse(came, ended.invocation);
      expect(values).toMatchObject({
        outcome: outcome.outcome,
        function_error: asText(came?.functionError),
        executed_version: asText(came?.executedVersion),
        request_id: asText(result.requestId),
        durable_execution_arn: asText(came?.durableExecutionArn),
        log_result: asText('log_result' in outcome ? outcome.log_result : undefined),
        response: isResponse ? asReceived(came.payload) : '',
        query_result: asText(outcome.query_result),
        outcomes: JSON.stringify([outcome]),
        total: '1',
        outcomes_file: FILES.outcomes,
      });
    });
    fc.assert(all, { seed: SEED, numRuns: 300 });
  });

  test('of several invocations are only the common ones', () => {
    const all = fc.property(fc.array(hostileResult, { minLength: 2, maxLength: 4 }), (deliveries) => {
      const { outputs } = written(deliveries);
      expect(outputs.map(([name]) => name)).toEqual(COMMON_OUTPUTS);
      expect(JSON.parse(Object.fromEntries(outputs)['outcomes'] ?? '')).toHaveLength(deliveries.length);
    });
    fc.assert(all, { seed: SEED, numRuns: 100 });
  });

  test('keep the bytes of a UTF-8 response, including a byte order mark', () => {
    const all = fc.property(hostileText.map(onTheWire), fc.boolean(), (text, marked) => {
      const payload = Buffer.from(`${marked ? '\ufeff' : ''}${text}`);
      const values = Object.fromEntries(written([resultOf(responseOf('', { payload }))]).outputs);
      expect(Buffer.from(values['response'] ?? '')).toEqual(payload);
    });
    fc.assert(all, { seed: SEED, numRuns: 100 });
  });
});

describe('an output over a megabyte', () => {
  const filling = fc.constantFrom('x', 'é', '€', '😀', '\u0000', '"', '\n', '::error::x\n');
  const nearTheLimit = fc
    .tuple(filling, fc.integer({ min: -4, max: 4 }), hostileBytes)
    .map(([unit, more, start]) => {
      const size = Math.floor((LIMIT - start.length) / Buffer.byteLength(unit)) + more;
      return Buffer.concat([start, Buffer.from(unit.repeat(Math.max(0, size)))]);
    });

  test('is empty, with a warning that names it and its file, and other outputs are complete', () => {
    let [emptied, kept] = [0, 0];
    const all = fc.property(nearTheLimit, (payload) => {
      const { stdout, outputs } = written([resultOf(responseOf('', { payload }))]);
      const { response, outcomes } = Object.fromEntries(outputs);
      const text = asReceived(payload);
      const isLong = Buffer.byteLength(text) > LIMIT;
      expect(response).toBe(isLong ? '' : text);
      expect(outcomes).toBe('');
      for (const [, value] of outputs) expect(Buffer.byteLength(value)).toBeLessThanOrEqual(LIMIT);
      const told = commandsIn(judgeOutput(stdout)).map(({ name, data }) => [name, data.split(' ')[2]]);
      expect(told.filter(([, output]) => output !== 'query_result')).toEqual([
        ...(isLong ? [['warning', 'response']] : []),
        ['warning', 'outcomes'],
      ]);
      if (isLong) emptied += 1;
      else kept += 1;
    });
    fc.assert(all, { seed: SEED, numRuns: 16 });
    expect(Math.min(emptied, kept)).toBeGreaterThan(3);
  });
});

describe('a response that an output cannot contain', () => {
  test('is saved in a response file whenever the output is empty', () => {
    const unit = fc.constantFrom(0xff, 0xc3, 0x80, 0x41);
    const all = fc.property(unit, fc.integer({ min: 300_000, max: 1_000_010 }), (byte, length) => {
      const payload = new Uint8Array(length).fill(byte);
      const { response } = outputsFor([evaluated(resultOf(responseOf('', { payload })))], FILES).values;
      expect(isTooLong(payload)).toBe(response === '');
    });
    fc.assert(all, { seed: SEED, numRuns: 8 });
  });

  test('does not affect the other outputs if it is nested too deeply', () => {
    const payload = Buffer.from('['.repeat(20_000) + ']'.repeat(20_000));
    const values = Object.fromEntries(written([resultOf(responseOf('', { payload }))]).outputs);
    expect(values).toMatchObject({ outcome: 'succeeded', total: '1' });
  });
});
