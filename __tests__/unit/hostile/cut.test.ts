import { Buffer } from 'node:buffer';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { cut } from '../../../src/report/fence.ts';
import { groupsOf } from '../../../src/report/log.ts';
import { SEED } from '../../seed.ts';
import { answer, delivery, failure } from '../outcome/factory.ts';
import { hostileBytes, hostileText } from './arbitraries.ts';
import { onTheWire } from './capture.ts';
import { judging } from './judgements.ts';
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

/** A decoder takes a byte order mark at the start away, which shows nothing anyway. */
const unmarked = (marked: string): string => marked.replace(/^\ufeff/, '');

describe('a cut', () => {
  test('leaves what fits, and keeps of the rest whole characters up to the limit, with a true note', () => {
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
      // Not a part of one: what follows in the text begins at a character.
      const after = Buffer.from(onTheWire(whole)).at(number(note?.[1])) ?? 0;
      expect(after & 0xc0).not.toBe(0x80);
    });
    fc.assert(all, { seed: SEED, numRuns: 2000 });
    expect(cuts).toBeGreaterThan(500);
  });
});

describe('however much came', () => {
  const unit = fc.constantFrom('x', 'é', '€', '😀', '\u0000', '\r', '::error::x\n', '`', '\ud800');
  const long = fc
    .tuple(unit, fc.integer({ min: 1000, max: 100_000 }))
    .map(([one, times]) => one.repeat(times));
  const plain = judging({});

  test('a group of the log has no more than its limit and the note', async () => {
    const judge = await plain;
    const all = fc.property(long, (response) => {
      const given = { payload: Buffer.from(JSON.stringify(response)) };
      for (const functionError of [{}, { functionError: 'Unhandled' }]) {
        const shown = groupsOf(judge(delivery(answer('', { ...given, ...functionError }))), {
          showResponse: true,
        });
        expect(shown).toHaveLength(1);
        for (const { foreign } of shown)
          expect(Buffer.byteLength(foreign)).toBeLessThanOrEqual(65_536 + LONGEST_NOTE);
      }
      const [strange] = groupsOf(judge(delivery(failure({ strangeText: response }))), { showResponse: true });
      expect(Buffer.byteLength(strange?.foreign ?? '')).toBeLessThanOrEqual(4096 + LONGEST_NOTE);
      expect(strange?.foreign).not.toBe('');
    });
    fc.assert(all, { seed: SEED, numRuns: 40 });
  });

  // The message, three frames, the function, the request id and the hint about the log.
  const MOST = 4096 + 3 * 512 + 4 * (LONGEST_NOTE + 5) + 300;

  test('an annotation of a failure has no more than its limits and the notes', async () => {
    const judge = await plain;
    const all = fc.property(long, (value) => {
      const error = { errorType: value, errorMessage: value, trace: Array(9).fill(`at ${value}`) };
      const payload = Buffer.from(JSON.stringify(error));
      const failed = judge(delivery(answer('', { payload, functionError: 'Unhandled' })));
      const lost = judge(delivery(failure({ message: value })));
      const annotations = annotationsOf([failed, lost]);
      expect(annotations).toHaveLength(2);
      for (const { body } of annotations) expect(Buffer.byteLength(body)).toBeLessThanOrEqual(MOST);
    });
    fc.assert(all, { seed: SEED, numRuns: 30 });
  });

  test('an annotation of an expectation has no more than its limits', async () => {
    const judge = await judging({ expect: 'result == `200`' });
    const all = fc.property(long, (value) => {
      const failed = judge(delivery(answer(JSON.stringify(value))));
      for (const { body } of annotationsOf([failed]))
        expect(Buffer.byteLength(body)).toBeLessThanOrEqual(MOST);
    });
    fc.assert(all, { seed: SEED, numRuns: 5 });
  });
});
