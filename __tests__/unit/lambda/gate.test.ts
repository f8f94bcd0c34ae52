import { describe, expect, test } from '@jest/globals';
import { Gate, type Pass } from '../../../src/lambda/gate.ts';

const NEVER = new AbortController().signal;

/** Takes passes until the gate lets nobody through, and says how many that were. */
async function fill(gate: Gate): Promise<Pass[]> {
  const passes: Pass[] = [];
  for (;;) {
    const full = new AbortController();
    setImmediate(() => full.abort());
    const pass = await gate.enter(0, full.signal);
    if (pass === undefined) return passes;
    passes.push(pass);
  }
}

describe('the gate', () => {
  test('lets as many through as it was made for, and one more for each that leaves', async () => {
    const gate = new Gate(3);
    const passes = await fill(gate);
    expect(passes).toHaveLength(3);
    passes[0]?.leave('otherwise');
    expect(await fill(gate)).toHaveLength(1);
  });

  test('counts a pass that is given back twice once', async () => {
    const gate = new Gate(2);
    const [pass] = await fill(gate);
    pass?.leave('otherwise');
    pass?.leave('otherwise');
    expect(await fill(gate)).toHaveLength(1);
  });

  test('lets through in the order of the plan, not of asking', async () => {
    const gate = new Gate(1);
    const [first] = await fill(gate);
    const admitted: number[] = [];
    const ask = async (order: number): Promise<void> => {
      const pass = await gate.enter(order, NEVER);
      admitted.push(order);
      pass?.leave('otherwise');
    };
    const asked = [7, 3, 5].map(ask);
    first?.leave('otherwise');
    await Promise.all(asked);
    expect(admitted).toEqual([3, 5, 7]);
  });

  test('halves the bound at a throttle, once for all that were under way', async () => {
    const gate = new Gate(16);
    const passes = await fill(gate);
    for (const pass of passes) pass.leave('throttled');
    expect(gate.bound).toBe(8);
    for (const pass of await fill(gate)) pass.leave('throttled');
    expect(gate.bound).toBe(4);
  });

  test('never goes below one, and raises the bound again with success, up to the most', async () => {
    const gate = new Gate(4);
    for (let round = 0; round < 10; round += 1) {
      for (const pass of await fill(gate)) pass.leave('throttled');
    }
    expect(gate.bound).toBe(1);
    const other = new Gate(4);
    (await fill(other)).forEach((pass) => {
      pass.leave('throttled');
    });
    expect(other.bound).toBe(2);
    for (let round = 0; round < 20; round += 1) {
      for (const pass of await fill(other)) pass.leave('otherwise');
    }
    expect(other.bound).toBe(4);
  });

  test('raises the bound by one for as many successes as the bound has, and not faster', async () => {
    const gate = new Gate(16);
    for (const pass of await fill(gate)) pass.leave('throttled');
    for (const pass of await fill(gate)) pass.leave('throttled');
    expect(gate.bound).toBe(4);
    const bounds: number[] = [];
    for (let success = 0; success < 10; success += 1) {
      (await gate.enter(0, NEVER))?.leave('otherwise');
      bounds.push(gate.bound);
    }
    expect(bounds).toEqual([4, 4, 4, 4, 5, 5, 5, 5, 5, 6]);
  });

  test('gives no pass to who no longer waits', async () => {
    const gate = new Gate(1);
    const [first] = await fill(gate);
    const gone = new AbortController();
    const waiting = gate.enter(0, gone.signal);
    const next = gate.enter(1, NEVER);
    gone.abort();
    expect(await waiting).toBeUndefined();
    first?.leave('otherwise');
    expect(await next).toBeDefined();
    expect(await gate.enter(2, AbortSignal.abort())).toBeUndefined();
  });
});
