import { randomUUID } from 'node:crypto';
import path from 'node:path';
import type { LocalLambda } from '../../packages/local-lambda/server.ts';
import { RequestIds } from '../../src/lambda/attempts.ts';
import { Clients } from '../../src/lambda/client.ts';
import type { Invocation, InvocationResult } from '../../src/lambda/invocation.ts';
import { type InvokeContext, type InvokePolicy, invokeEach, type Wait } from '../../src/lambda/invoker.ts';
import { AdaptiveLimiter } from '../../src/lambda/limiter.ts';
import { Readiness } from '../../src/lambda/readiness.ts';
import { REAL_TIMING, type Timing } from '../../src/lambda/timing.ts';
import { anInvocation } from '../base.ts';
import { jobEnvironment } from '../e2e/step.ts';

const HANDLERS = path.join(import.meta.dirname, '..', '..', 'packages', 'local-lambda', 'handlers');
export const ECHO = path.join(HANDLERS, 'echo.mjs.handler');
export const SLOW = path.join(HANDLERS, 'slow.mjs.handler');

/** Points the SDK's own chains at a local Lambda, like a job's environment. The returned function undoes it. */
export function useLambda(url: string, region = 'us-east-1'): () => void {
  const saved = { ...process.env };
  Object.assign(process.env, jobEnvironment({ url, region }));
  return () => {
    process.env = saved;
  };
}

export const INVOCATION = anInvocation({
  functionName: 'echo',
  reference: { name: 'echo' },
  payload: new TextEncoder().encode('{"a":1}'),
});

/** The connection timeout. */
export const CONNECT_LIMIT_MS = 10_000;

/** Request IDs as a step makes them. */
export const freshIds = (): RequestIds => new RequestIds(randomUUID);

export const POLICY: InvokePolicy = { timeoutMs: 960_000, retry: 'safe', retryMs: 180_000 };

/** A clock on which sleeping takes no time, and a sequence instead of randomness. */
export type FakeTiming = Timing & Readonly<{ slept: readonly number[] }>;

/** Sleeps are recorded and only advance the clock. Deadlines are real, because the network is. */
export function fakeTiming(random: () => number = () => 0.999): FakeTiming {
  const slept: number[] = [];
  let skew = 0;
  return {
    now: () => REAL_TIMING.now() + skew,
    random,
    sleep: async (ms) => {
      slept.push(ms);
      skew += ms;
    },
    after: REAL_TIMING.after,
    slept,
  };
}

/** Fake time in which timeout_seconds is exceeded at the nth sleep, from 1, when `also` is called. */
export function timeoutAtSleep(count: number, also: () => void = () => {}): Timing {
  const timeouts: (() => void)[] = [];
  const timing = fakeTiming();
  return {
    ...timing,
    after: (ms, callback) => {
      if (ms === POLICY.timeoutMs) timeouts.push(callback);
      return () => {};
    },
    sleep: async (ms, signal) => {
      await timing.sleep(ms, signal);
      if (timing.slept.length !== count) return;
      for (const goOff of timeouts) goOff();
      also();
    },
  };
}

/** Readiness whose listeners do nothing. */
export function quietReadiness(): NonNullable<InvokeContext['readiness']> {
  const ignore = (): void => {};
  return {
    waits: new Readiness(),
    expectsVersion: () => false,
    onStateChange: ignore,
    onAliasChange: ignore,
    onHiddenAlias: ignore,
    onFailedPoll: ignore,
  };
}

/** Timers that fire only when the test says so. */
export function manualTiming(): Timing & Readonly<{ goOff: (ms: number) => void }> {
  const timers = new Set<Readonly<{ ms: number; callback: () => void }>>();
  return {
    ...REAL_TIMING,
    after: (ms, callback) => {
      const timer = { ms, callback };
      timers.add(timer);
      return () => timers.delete(timer);
    },
    goOff: (ms) => {
      const due = [...timers].filter((timer) => timer.ms === ms);
      if (due.length === 0) throw new Error(`no timer of ${ms} ms is set`);
      for (const { callback } of due) callback();
    },
  };
}

/** What happened during a delivery, and its outcome. */
export type Delivered = InvocationResult & Readonly<{ waits: readonly Wait[] }>;

/** Delivers one invocation to the local Lambda of `useLambda`, in fake time by default. */
export async function invokeOn(
  _lambda: Pick<LocalLambda, 'url'>,
  options: {
    invocation?: Partial<Invocation>;
    policy?: Partial<InvokePolicy>;
    timing?: Timing;
    cancel?: AbortSignal;
    halt?: AbortSignal;
    clients?: Clients;
    limiter?: AdaptiveLimiter;
    requestIds?: RequestIds;
    extras?: Pick<InvokeContext, 'readiness' | 'follow' | 'stream' | 'witness'>;
  } = {},
): Promise<Delivered> {
  const waits: Wait[] = [];
  const clients = options.clients ?? new Clients({});
  const context: InvokeContext = {
    clients,
    policy: { ...POLICY, ...options.policy },
    timing: options.timing ?? fakeTiming(),
    limiter: options.limiter ?? new AdaptiveLimiter(10),
    requestIds: options.requestIds ?? freshIds(),
    cancel: options.cancel ?? new AbortController().signal,
    ...(options.halt !== undefined && { halt: options.halt }),
    onWait: (wait) => waits.push(wait),
    ...options.extras,
  };
  try {
    const ended: InvocationResult[] = [];
    await invokeEach([{ ...INVOCATION, ...options.invocation }], context, async (result) => {
      ended.push(result);
    });
    const [result] = ended;
    if (result === undefined) throw new Error('the invocation has no result');
    return { ...result, waits };
  } finally {
    if (options.clients === undefined) clients.close();
  }
}
