import { setTimeout as sleep } from 'node:timers/promises';
import type { Capacity } from './capacity.ts';
import type { RuntimeInvocation } from './execution-environment.ts';
import type { EventInvokeConfig, FunctionVersion } from './function-definition.ts';
import type { RunResult } from './invocation-runner.ts';

/** idle() does not wait for retries that are further away than this. */
const SOON_MS = 1_000;

const MOST_RETRIES = 2;
const LONGEST_AGE_SECONDS = 6 * 60 * 60;

/** An event with its function's event settings at the time of arrival. */
export type AcceptedEvent = Readonly<{
  /** The code that an attempt runs. Undefined if the function no longer exists. */
  resolveVersion: () => FunctionVersion | undefined;
  invocation: RuntimeInvocation;
  config: EventInvokeConfig;
}>;

/** Runs accepted events in the background like Lambda: up to three attempts, and none for an expired event. */
export class EventQueue {
  readonly #capacity: Capacity;
  readonly #retryDelaysMs: readonly [number, number];
  readonly #ageScale: number;
  readonly #run: (version: FunctionVersion, invocation: RuntimeInvocation) => Promise<RunResult>;
  readonly #stopping = new AbortController();
  readonly #onChange: () => void;
  #active = 0;

  constructor(options: {
    capacity: Capacity;
    retryDelaysMs: readonly [number, number];
    ageScale: number;
    run: (version: FunctionVersion, invocation: RuntimeInvocation) => Promise<RunResult>;
    /** Called when `active` has changed. */
    onChange: () => void;
  }) {
    this.#capacity = options.capacity;
    this.#retryDelaysMs = options.retryDelaysMs;
    this.#ageScale = options.ageScale;
    this.#run = options.run;
    this.#onChange = options.onChange;
  }

  /** The number of events that run or are about to run. */
  get active(): number {
    return this.#active;
  }

  /** Accepts an event. The caller responds with 202 in any case. */
  accept(event: AcceptedEvent): void {
    this.#active += 1;
    void this.#process(event).finally(() => {
      this.#active -= 1;
      this.#onChange();
    });
  }

  stop(): void {
    this.#stopping.abort();
    this.#capacity.wake();
  }

  async #process(event: AcceptedEvent): Promise<void> {
    const { maximumRetryAttempts = MOST_RETRIES, maximumEventAgeSeconds = LONGEST_AGE_SECONDS } =
      event.config;
    const ageMs = maximumEventAgeSeconds * 1000 * this.#ageScale;
    const expiry = performance.now() + ageMs;
    for (const delayMs of [0, ...this.#retryDelaysMs.slice(0, maximumRetryAttempts)]) {
      await this.#wait(delayMs);
      const functionError = await this.#attempt(event, expiry);
      if (!functionError || this.#stopping.signal.aborted) return;
    }
  }

  /** Runs the event once when there is capacity. True if the function failed, false if it succeeded or the event expired. */
  async #attempt(event: AcceptedEvent, expiry: number): Promise<boolean> {
    const expired = Promise.withResolvers<void>();
    const timer = setTimeout(expired.resolve, Math.max(0, expiry - performance.now())).unref();
    try {
      while (!this.#stopping.signal.aborted && performance.now() < expiry) {
        const version = event.resolveVersion();
        if (version === undefined) return false;
        const result = await this.#runNow(version, event.invocation);
        if (result !== undefined) return result.functionError;
        await this.#aside(Promise.race([this.#capacity.released(), expired.promise]));
      }
      return false;
    } finally {
      clearTimeout(timer);
    }
  }

  /** Undefined if there is no capacity. */
  async #runNow(version: FunctionVersion, invocation: RuntimeInvocation): Promise<RunResult | undefined> {
    const { functionName, definition } = version;
    if (this.#capacity.acquire(functionName, definition.reservedConcurrency) !== undefined) return undefined;
    try {
      return await this.#run(version, invocation);
    } finally {
      this.#capacity.release(functionName);
    }
  }

  async #wait(delayMs: number): Promise<void> {
    if (delayMs === 0) return;
    const timer = sleep(delayMs, undefined, { ref: false, signal: this.#stopping.signal }).catch(
      () => undefined,
    );
    if (delayMs > SOON_MS) await this.#aside(timer);
    else await timer;
  }

  /** Waits without being counted as active. */
  async #aside(promise: Promise<unknown>): Promise<void> {
    this.#active -= 1;
    this.#onChange();
    await promise;
    this.#active += 1;
  }
}
