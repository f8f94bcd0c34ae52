import { Buffer } from 'node:buffer';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { type Fault, type LocalLambda, startLocalLambda } from '../../packages/local-lambda/server.ts';
import { Clients } from '../../src/lambda/client.ts';
import type { InvocationResult, InvocationType, LogEvidence } from '../../src/lambda/invocation.ts';
import type { RetryPolicy } from '../../src/lambda/invoker.ts';
import { LogsClients } from '../../src/logs/client.ts';
import { LostInvocations } from '../../src/logs/lost.ts';
import { evaluate } from '../../src/outcome/evaluate.ts';
import { adviceFor } from '../../src/outcome/failure-advice.ts';
import { CLASSES_BY_NAME } from '../failure-classes.ts';
import { randomFrom, SEED } from '../seed.ts';
import { fakeTiming, invokeOn, useLambda } from './invoke-context.ts';

// Every fault, in a random but repeatable order, with every type and policy. The real runs
// are counted with lines that only the handler writes, and by the local Lambda.

const INVOCATIONS = 2_400;
const IN_FLIGHT = 24;

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
  process.env['AWS_ENDPOINT_URL_CLOUDWATCH_LOGS'] = lambda.url;
});
afterAll(async () => {
  restore();
  await lambda.close();
  rmSync(folder, { recursive: true });
});

/** What the log shows of an invocation, on time that nobody waits for. */
function lookInLog(delivery: InvocationResult, clients: Clients): Promise<LogEvidence | undefined> {
  const timing = fakeTiming();
  const cancel = new AbortController().signal;
  const logs = new LogsClients((region) => clients.settingsFor(region), { timing, cancel, apartMs: 0 });
  return new LostInvocations({ clients, logs, timing, cancel, onDenied: () => {} }).look(delivery);
}

type Case = Readonly<{
  id: number;
  type: InvocationType;
  retry: RetryPolicy;
  outcome: string;
  attempts: number;
  /** The outcome's request ID. */
  requestId: string | undefined;
  /** Our own IDs of the attempts that may have run. */
  sentAs: readonly (string | undefined)[];
}>;

/** The request IDs of all START lines. */
const startedIds = (): string[] =>
  lambda.logs.written
    .map(({ message }) => /^START RequestId: (\S+) /.exec(message)?.[1])
    .filter((id) => id !== undefined);

test(`${INVOCATIONS} invocations through every fault run at most once, and none is reported wrongly`, async () => {
  const chance = randomFrom(SEED);
  const pick = <T>(items: readonly T[]): T => {
    const item = items[Math.floor(chance() * items.length)];
    if (item === undefined) throw new Error('nothing to pick from');
    return item;
  };
  const injected = new Set<Fault>();
  lambda.setFault(({ operation }) => {
    if (operation !== 'Invoke' || chance() < 0.15) return undefined;
    const fault = pick(pick(KINDS));
    injected.add(fault);
    return fault;
  });

  const clients = new Clients({});
  const timing = () => fakeTiming(() => chance() * 0.05);
  const cases: Case[] = [];
  const lost: Readonly<{ id: number; delivery: InvocationResult }>[] = [];
  const rules = {
    failOnFunctionError: true,
    expressions: { expect: [], mask: [] },
    advise: adviceFor({ eventName: 'push', hasOidc: false }),
  };
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
      const { outcome } = evaluate(delivery, rules);
      const sentAs = delivery.sent.filter(({ mayHaveRun }) => mayHaveRun).map((attempt) => attempt.sentAs);
      const { outcome: kind, attempts, request_id: requestId } = outcome;
      cases.push({ id, type, retry, outcome: kind, attempts, requestId, sentAs });
      if (kind === 'unknown' && type !== 'DryRun') lost.push({ id, delivery });
    }
  };
  await Promise.all(Array.from({ length: IN_FLIGHT }, work));
  await lambda.idle();
  // Every log has arrived by now.
  const witnessed = new Map<number, string>();
  for (const { id, delivery } of lost) {
    const inLog = await lookInLog(delivery, clients);
    const { outcome } = evaluate({ ...delivery, ...(inLog && { inLog }) }, rules);
    if (outcome.outcome === 'unknown') witnessed.set(id, outcome.ran);
  }
  clients.close();

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

  const attempted = lambda.requests.filter(({ operation }) => operation === 'Invoke');
  const sentIds = attempted.map(({ headers }) => headers['x-amzn-requestid']);
  expect(new Set(sentIds).size).toBe(sentIds.length);
  expect(sentIds).not.toContain(undefined);
  const started = startedIds();
  expect(started).toHaveLength(lines.length);
  const startsOf = new Map(cases.map((one) => [one.id, started.filter((id) => one.sentAs.includes(id))]));
  const starts = ({ id }: Case): readonly string[] => startsOf.get(id) ?? [];
  // Every START is that of an attempt, and where only one attempt can have run, the outcome names it.
  expect(where((one) => starts(one).length !== ran(one.id))).toEqual([]);
  const named = where(
    (one) => one.sentAs.length === 1 && starts(one).length === 1 && one.requestId !== undefined,
  );
  expect(named.filter((one) => one.requestId !== starts(one)[0])).toEqual([]);

  // The log tells of each unknown one that ran, and it never takes the outcome away.
  expect(witnessed.size).toBe(lost.length);
  expect(where(({ id }) => ran(id) > 0 && witnessed.get(id) === 'may_have_run')).toEqual([]);
  expect(where(({ id }) => ran(id) === 0 && witnessed.get(id) === 'finished')).toEqual([]);

  // The run must have covered what it claims to test.
  expect([...witnessed.values()].filter((known) => known === 'finished').length).toBeGreaterThan(100);
  expect([...witnessed.values()].filter((known) => known === 'may_have_run').length).toBeGreaterThan(100);
  expect(named.length).toBeGreaterThan(800);
  expect(named.filter(({ outcome }) => outcome === 'unknown').length).toBeGreaterThan(100);
  const outcomes = (kind: string): number => where(({ outcome }) => outcome === kind).length;
  expect(cases).toHaveLength(INVOCATIONS);
  expect(injected.size).toBe(KINDS.flat().length);
  for (const kind of ['succeeded', 'not_invoked', 'unknown']) expect(outcomes(kind)).toBeGreaterThan(200);
  expect(where(({ attempts, outcome }) => attempts > 1 && outcome === 'succeeded').length).toBeGreaterThan(
    50,
  );
  expect(where(({ id, outcome }) => outcome === 'unknown' && ran(id) === 1).length).toBeGreaterThan(100);
  expect(where(({ id, retry }) => retry === 'idempotent' && ran(id) > 1).length).toBeGreaterThan(10);
}, 300_000);
