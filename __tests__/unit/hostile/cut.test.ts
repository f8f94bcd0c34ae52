import { Buffer } from 'node:buffer';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { readFunctionError } from '../../../src/outcome/function-error.ts';
import { adviseOnFunctionError } from '../../../src/outcome/function-error-advice.ts';
import { invalidInput } from '../../../src/report/annotations.ts';
import { groupsOf } from '../../../src/report/log.ts';
import { cut } from '../../../src/shared/text.ts';
import { SEED } from '../../seed.ts';
import { failure, REQUEST_ID, responseOf, resultOf } from '../outcome/factory.ts';
import { unmasked } from '../report/factory.ts';
import { hostileBytes, hostileText } from './arbitraries.ts';
import { onTheWire } from './capture.ts';
import { evaluating } from './evaluations.ts';
import { annotationsOf } from './writers.ts';

const NOTE = /\n… cut: the first ([\d,]+) of ([\d,]+) bytes$/;
const LONGEST_NOTE = Buffer.byteLength('\n… cut: the first 9,999,999 of 9,999,999 bytes');
const number = (text: string | undefined): number => Number(text?.replaceAll(',', ''));

const text = fc.oneof(
  hostileText,
  hostileBytes.map((bytes) => new TextDecoder().decode(bytes)),
  fc
    .array(fc.constantFrom('a', 'é', '€', '😀', '\ud800', '\u0000', '\ufffd'), { maxLength: 40 })
    .map((parts) => parts.join('')),
);
const limit = fc.oneof(fc.integer({ min: 0, max: 60 }), fc.constantFrom(512, 4096, 65_536));

/** A decoder removes a byte order mark at the start, which is invisible anyway. */
const unmarked = (marked: string): string => marked.replace(/^\ufeff/, '');

describe('a cut', () => {
  test('keeps text within the limit, and cuts longer text at a character with an accurate note', () => {
    let cuts = 0;
    const all = fc.property(text, limit, (whole, bytes) => {
      const shown = cut(whole, bytes);
      const size = Buffer.byteLength(whole);
      if (size <= bytes) {
        expect(shown).toBe(whole);
        return;
      }
      cuts += 1;
      const note = NOTE.exec(shown);
      const kept = shown.slice(0, note?.index);
      expect(number(note?.[2])).toBe(size);
      expect(number(note?.[1])).toBeLessThanOrEqual(bytes);
      expect(bytes - number(note?.[1])).toBeLessThan(4);
      expect(Buffer.byteLength(kept)).toBeLessThanOrEqual(bytes);
      expect(unmarked(onTheWire(whole)).startsWith(unmarked(kept))).toBe(true);
      // The cut is not inside a character: the rest starts with a whole one.
      const after = Buffer.from(onTheWire(whole)).at(number(note?.[1])) ?? 0;
      expect(after & 0xc0).not.toBe(0x80);
    });
    fc.assert(all, { seed: SEED, numRuns: 2000 });
    expect(cuts).toBeGreaterThan(500);
  });
});

describe('for text of any length', () => {
  const unit = fc.constantFrom('x', 'é', '€', '😀', '\u0000', '\r', '::error::x\n', '`', '\ud800');
  const long = fc
    .tuple(unit, fc.integer({ min: 1000, max: 100_000 }))
    .map(([one, times]) => one.repeat(times));
  const plain = evaluating({});

  test('a log group has at most its limit and the note', async () => {
    const evaluated = await plain;
    const all = fc.property(long, (response) => {
      const given = { payload: Buffer.from(JSON.stringify(response)) };
      for (const functionError of [{}, { functionError: 'Unhandled' }]) {
        const shown = groupsOf(
          unmasked(evaluated(resultOf(responseOf('', { ...given, ...functionError })))),
          {
            showResponse: true,
          },
        );
        expect(shown).toHaveLength(1);
        for (const { foreign } of shown)
          expect(Buffer.byteLength(foreign)).toBeLessThanOrEqual(65_536 + LONGEST_NOTE);
      }
      const [foreign] = groupsOf(unmasked(evaluated(resultOf(failure({ foreignText: response })))), {
        showResponse: true,
      });
      expect(Buffer.byteLength(foreign?.foreign ?? '')).toBeLessThanOrEqual(4096 + LONGEST_NOTE);
      expect(foreign?.foreign).not.toBe('');
    });
    fc.assert(all, { seed: SEED, numRuns: 40 });
  });

  // Source: ExecutionContext.cs in actions/runner. .NET counts UTF-16 units, as JavaScript does.
  const keptByRunner = (body: string): string => onTheWire(body).slice(0, 4096);
  const expectKept = (body: string, lines: readonly (string | undefined)[]): void => {
    expect(keptByRunner(body)).toBe(onTheWire(body));
    for (const line of lines) expect(body).toContain(`${line}`);
  };
  const LINES = [
    `Function: ${resultOf(responseOf('')).invocation.functionName}`,
    `Request ID: ${REQUEST_ID}`,
  ];

  test('an annotation of a function error keeps the function, request ID and advice', async () => {
    const evaluated = await plain;
    const all = fc.property(long, fc.nat(7), (value, depth) => {
      const error = {
        errorType: 'AccessDenied',
        errorMessage: `x is not authorized to perform: s3:GetObject ${value}`,
        trace: Array(9).fill(`at ${value}`),
      };
      let nested: object = error;
      for (let at = 0; at < depth; at += 1) nested = { ...error, errorType: value, cause: nested };
      const payload = Buffer.from(JSON.stringify(nested));
      const failed = evaluated(resultOf(responseOf('', { payload, functionError: 'Unhandled' })));
      const responseFile = { path: '/w/response.partial', isWhole: false };
      const [{ body = '' } = {}] = annotationsOf([{ ...failed, responseFile }]);
      const advice = adviseOnFunctionError(readFunctionError(nested), undefined);
      expect(advice).toContain('s3:GetObject');
      expectKept(body, [...LINES, advice, responseFile.path, 'Log: https://']);
    });
    fc.assert(all, { seed: SEED, numRuns: 30 });
  });

  test('an annotation of a lost response keeps the function, request ID, advice and link', async () => {
    const evaluated = await plain;
    const all = fc.property(long, fc.constantFrom('may_have_run', 'ran'), (value, evidence) => {
      const lost = evaluated(resultOf(failure({ message: value, evidence, requestId: REQUEST_ID })));
      const [{ body = '' } = {}] = annotationsOf([lost]);
      const { advice } = 'error' in lost.outcome ? lost.outcome.error : { advice: undefined };
      expect(advice).toContain('https://');
      expectKept(body, [lost.label, LINES[1], advice]);
    });
    fc.assert(all, { seed: SEED, numRuns: 30 });
  });

  test('an annotation of expectations keeps the function and request ID', async () => {
    const evaluated = await evaluating({ expect: Array(40).fill('response == `200`').join('\n') });
    const all = fc.property(long, (value) => {
      const failed = evaluated(resultOf(responseOf(JSON.stringify(value))));
      const unmet = failed.unmet.map((one) => ({ ...one, why: value }));
      for (const { body } of annotationsOf([{ ...failed, unmet }])) {
        expectKept(body, [...LINES, '… and 20 more expectations.']);
      }
    });
    fc.assert(all, { seed: SEED, numRuns: 5 });
  });

  test('the last annotation of many keeps the number of further failures', async () => {
    const evaluated = await plain;
    const all = fc.property(long, (value) => {
      const lost = evaluated(resultOf(failure({ message: value })));
      const { body = '' } = annotationsOf(Array(60).fill(lost)).at(-1) ?? {};
      expectKept(body, ['… and 50 more failed.']);
    });
    fc.assert(all, { seed: SEED, numRuns: 10 });
  });

  test('an annotation of invalid inputs has complete problems and counts the rest', () => {
    const all = fc.property(long, fc.integer({ min: 1, max: 300 }), (value, count) => {
      const problems = Array.from({ length: count }, (_, at) => `${at}: ${value.slice(0, at * 10)}`);
      const { body } = invalidInput(problems);
      const rest = Number(/… and (\d+) more problems\.$/.exec(body)?.[1] ?? 0);
      expectKept(body, problems.slice(0, count - rest));
      expectKept(invalidInput([value, 'other']).body, []);
    });
    fc.assert(all, { seed: SEED, numRuns: 30 });
  });
});
