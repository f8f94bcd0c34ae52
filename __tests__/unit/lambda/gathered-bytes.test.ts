import { Buffer } from 'node:buffer';
import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { GatheredBytes } from '../../../src/lambda/exchange.ts';
import { SEED } from '../../seed.ts';

test('gathered bytes are the concatenated chunks, on every read', () => {
  const pieces = fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 30 });
  const gathered = new GatheredBytes();
  const all = fc.property(pieces, (some) => {
    for (const piece of some) gathered.add(piece);
    const whole = Buffer.concat(some);
    expect(gathered.length).toBe(whole.length);
    expect(gathered.take().equals(whole)).toBe(true);
    expect(gathered.take()).toHaveLength(0);
  });
  fc.assert(all, { seed: SEED, numRuns: 300 });
});
