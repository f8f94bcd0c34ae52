import { setTimeout as sleep } from 'node:timers/promises';
import type { Capacity } from './capacity.ts';
import type { RuntimeInvocation } from './execution-environment.ts';
import type { FunctionVersion } from './function-definition.ts';
import type { RunResult } from './invocation-runner.ts';

/** A retry that is further away than this is not waited for by idle(). */
const SOON_MS = 1_000;

/** Runs accepted events in the background, a failing one up to three times, as Lambda does. */
export class EventQueue {
  readonly #capacity: Capacity;
  readonly #retryDelaysMs: readonly [number, number];
  readonly #run: (version: FunctionVersion, invocation: RuntimeInvocation) => Promise<RunResult>;
  readonly #stopping = new AbortController();
  readonly #onChange: () => void;
  #active = 0;

  constructor(options: {
    capacity: Capacity;
    retryDelaysMs: readonly [number, number];
    run: (version: FunctionVersion, invocation: RuntimeInvocation) => Promise<RunResult>;
    /** Called when active has changed. */
    onChange: () => void;
  }) {
    this.#capacity = options.capacity;
    this.#retryDelaysMs = options.retryDelaysMs;
    this.#run = options.run;
    this.#onChange = options.onChange;
  }

  /** Events that run now, or soon. */
  get active(): number {
    return this.#active;
  }

  /** Takes an event; the caller answers 202 whatever becomes of it. */
  accept(resolveVersion: () => FunctionVersion | undefined, invocation: RuntimeInvocation): void {
    this.#active += 1;
    void this.#process(resolveVersion, invocation).finally(() => {
      this.#active -= 1;
      this.#onChange();
    });
  }

  stop(): void {
    this.#stopping.abort();
    this.#capacity.wake();
  }

  async #process(
    resolveVersion: () => FunctionVersion | undefined,
    invocation: RuntimeInvocation,
  ): Promise<void> {
    for (const delayMs of [0, ...this.#retryDelaysMs]) {
      await this.#wait(delayMs);
      const functionError = await this.#attempt(resolveVersion, invocation);
      if (!functionError || this.#stopping.signal.aborted) return;
    }
  }

  /** Runs the event once, as soon as there is capacity; true where the function failed. */
  async #attempt(
    resolveVersion: () => FunctionVersion | undefined,
    invocation: RuntimeInvocation,
  ): Promise<boolean> {
    while (!this.#stopping.signal.aborted) {
      const version = resolveVersion();
      if (version === undefined) return false;
      const { functionName, definition } = version;
      if (this.#capacity.acquire(functionName, definition.reservedConcurrency) === undefined) {
        try {
          return (await this.#run(version, invocation)).functionError;
        } finally {
          this.#capacity.release(functionName);
        }
      }
      await this.#aside(this.#capacity.released());
    }
    return false;
  }

  async #wait(delayMs: number): Promise<void> {
    if (delayMs === 0) return;
    const timer = sleep(delayMs, undefined, { ref: false, signal: this.#stopping.signal }).catch(
      () => undefined,
    );
    if (delayMs > SOON_MS) await this.#aside(timer);
    else await timer;
  }

  /** Waits without counting as active. */
  async #aside(promise: Promise<unknown>): Promise<void> {
    this.#active -= 1;
    this.#onChange();
    await promise;
    this.#active += 1;
  }
}
