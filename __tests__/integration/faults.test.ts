import { Buffer } from 'node:buffer';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { type Fault, type LocalLambda, startLocalLambda } from '../../packages/local-lambda/server.ts';
import { Clients } from '../../src/lambda/client.ts';
import type { InvocationType } from '../../src/lambda/invocation.ts';
import type { RetryPolicy } from '../../src/lambda/invoker.ts';
import { evaluate } from '../../src/outcome/evaluate.ts';
import { CLASSES_BY_NAME } from '../failure-classes.ts';
import { SEED } from '../seed.ts';
import { fakeTiming, invokeOn, useLambda } from './invoke-context.ts';

// Every fault, in a random but repeatable order, with every type and policy. The real runs
// are counted with lines that only the handler writes, and by the local Lambda.

const INVOCATIONS = 2_400;
const IN_FLIGHT = 24;

/** Mulberry32: a small generator with the same sequence on every machine. */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Errors in the table, each at the point where the real service sends it: before the run, after it, or either. */
const SERVICE_ERRORS: readonly Fault[] = Object.entries(CLASSES_BY_NAME).flatMap(
  ([type, { evidence, status }]) => {
    const error = { kind: 'error', status, type, message: `${type}.` } as const;
    const before = { ...error, when: 'before' } as const;
    const after = { ...error, when: 'after' } as const;
    if (evidence === 'did_not_run') return [before];
    return evidence === 'ran' ? [after] : [before, after];
  },
);

/** Names with the status of another error. Whatever sends them, the handler may have run. */
const CONTRADICTIONS: readonly Fault[] = (
  [
    ['AccessDeniedException', 500],
    ['TooManyRequestsException', 503],
    ['ResourceConflictException', 502],
    ['ThrottlingException', 500],
  ] as const
).flatMap(([type, status]) =>
  (['before', 'after'] as const).map((when) => ({
    ...{ kind: 'error', when, status, type, message: `${type}.` },
  })),
);

const page = (status: number, when: 'before' | 'after'): Fault => ({
  kind: 'raw',
  when,
  status,
  headers: { 'content-type': 'text/html' },
  body: '<html>no</html>',
});

const CONNECTION_FAULTS: readonly Fault[] = (['before', 'after'] as const).flatMap((when): Fault[] => [
  { kind: 'reset', when },
  { kind: 'close', when },
  { kind: 'stall', when },
  { kind: 'delay', when, ms: 5 },
  page(502, when),
  page(503, when),
  page(504, when),
  page(200, when),
]);

const BODY_FAULTS: readonly Fault[] = [
  { kind: 'truncate', bytes: 0 },
  { kind: 'truncate', bytes: 7 },
  { kind: 'truncate', bytes: 150 },
  { kind: 'slow-body', chunkBytes: 64, delayMs: 2 },
  { kind: 'omit-request-id' },
];

const KINDS = [CONNECTION_FAULTS, SERVICE_ERRORS, CONTRADICTIONS, BODY_FAULTS];

let lambda: LocalLambda;
let restore: () => void;
let folder: string;
let runs: string;

beforeAll(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'faults-'));
  runs = path.join(folder, 'runs');
  writeFileSync(runs, '');
  lambda = await startLocalLambda({
    functions: {
      counted: {
        handler: path.join(import.meta.dirname, 'handlers', 'counted.mjs.handler'),
        environment: { RUNS: runs },
        timeoutSeconds: 60,
      },
    },
  });
  restore = useLambda(lambda.url);
});
afterAll(async () => {
  restore();
  await lambda.close();
  rmSync(folder, { recursive: true });
});

type Case = Readonly<{
  id: number;
  type: InvocationType;
  retry: RetryPolicy;
  outcome: string;
  attempts: number;
}>;

test(`${INVOCATIONS} invocations through every fault run at most once, and none is reported wrongly`, async () => {
  const chance = seeded(SEED);
  const pick = <T>(items: readonly T[]): T => {
    const item = items[Math.floor(chance() * items.length)];
    if (item === undefined) throw new Error('nothing to pick from');
    return item;
  };
  const injected = new Set<Fault>();
  lambda.setFault(() => {
    if (chance() < 0.15) return undefined;
    const fault = pick(pick(KINDS));
    injected.add(fault);
    return fault;
  });

  const clients = new Clients({});
  const timing = () => fakeTiming(() => chance() * 0.05);
  const cases: Case[] = [];
  const queue = Array.from({ length: INVOCATIONS }, (_, id) => id);
  const work = async (): Promise<void> => {
    for (let id = queue.shift(); id !== undefined; id = queue.shift()) {
      const type = pick<InvocationType>(['RequestResponse', 'RequestResponse', 'Event', 'DryRun']);
      const retry = pick<RetryPolicy>(['safe', 'safe', 'idempotent', 'never']);
      const delivery = await invokeOn(lambda, {
        clients,
        timing: timing(),
        policy: { retry, timeoutMs: 300, retryMs: 180_000 },
        invocation: {
          functionName: 'counted',
          invocationType: type,
          payload: Buffer.from(JSON.stringify({ id })),
        },
      });
      const rules = {
        failOnFunctionError: true,
        expressions: { expect: [], mask: [] },
        job: { eventName: 'push', hasOidc: false },
      };
      const { outcome } = evaluate(delivery, rules);
      cases.push({ id, type, retry, outcome: outcome.outcome, attempts: delivery.attempts });
    }
  };
  await Promise.all(Array.from({ length: IN_FLIGHT }, work));
  clients.close();
  await lambda.idle();

  const counts = new Map<number, number>();
  const lines = readFileSync(runs, 'utf8').trim().split('\n');
  for (const line of lines) counts.set(Number(line), (counts.get(Number(line)) ?? 0) + 1);
  const ran = (id: number): number => counts.get(id) ?? 0;
  const where = (wrong: (one: Case) => boolean): (Case & { ran: number })[] =>
    cases.filter(wrong).map((one) => ({ ...one, ran: ran(one.id) }));

  expect(lambda.executions()).toHaveLength(lines.length);
  expect(where(({ id, retry }) => retry !== 'idempotent' && ran(id) > 1)).toEqual([]);
  expect(where(({ id, type }) => type === 'DryRun' && ran(id) > 0)).toEqual([]);
  expect(
    where(({ id, type, outcome }) => outcome === 'succeeded' && type !== 'DryRun' && ran(id) < 1),
  ).toEqual([]);
  expect(where(({ id, outcome }) => outcome === 'not_invoked' && ran(id) > 0)).toEqual([]);
  expect(where(({ retry, attempts }) => retry === 'never' && attempts > 1)).toEqual([]);

  // The run must have covered what it claims to test.
  const outcomes = (kind: string): number => where(({ outcome }) => outcome === kind).length;
  expect(cases).toHaveLength(INVOCATIONS);
  expect(injected.size).toBe(KINDS.flat().length);
  for (const kind of ['succeeded', 'not_invoked', 'unknown']) expect(outcomes(kind)).toBeGreaterThan(200);
  expect(where(({ attempts, outcome }) => attempts > 1 && outcome === 'succeeded').length).toBeGreaterThan(
    50,
  );
  expect(where(({ id, outcome }) => outcome === 'unknown' && ran(id) === 1).length).toBeGreaterThan(100);
  expect(where(({ id, retry }) => retry === 'idempotent' && ran(id) > 1).length).toBeGreaterThan(10);
}, 120_000);
