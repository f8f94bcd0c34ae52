/** Time and randomness, passed in so that tests can control them. */
export type Timing = Readonly<{
  /** Milliseconds since 1970. */
  now: () => number;
  /** A random number from 0 up to, but not including, 1. */
  random: () => number;
  /** Resolves after `ms` milliseconds, or at once when `signal` aborts. */
  sleep: (ms: number, signal: AbortSignal) => Promise<void>;
  /** Calls back after `ms` milliseconds. The returned function cancels the call. */
  after: (ms: number, callback: () => void) => () => void;
}>;

/** Resolves when the event loop has checked its sockets and timers. */
export async function eventLoopTurn(): Promise<void> {
  // The first callback may run in a turn that has already checked them.
  for (let turn = 0; turn < 2; turn += 1) await new Promise<void>((resolve) => setImmediate(resolve));
}

// Node.js runs a longer timer at once.
const LONGEST_TIMER_MS = 2 ** 31 - 1;

// The time when Node.js started, by the clock of the machine.
const STARTED_AT = Date.now() - process.uptime() * 1000;

/**
 * The time and randomness of the machine. If its clock is set while the action runs, `now` continues as before: waits and
 * durations must not change by hours, and signatures have the time that AWS has accepted.
 */
export const REAL_TIMING: Timing = {
  now: () => Math.trunc(STARTED_AT + process.uptime() * 1000),
  random: Math.random,
  sleep: (ms, signal) =>
    new Promise((resolve) => {
      const done = (): void => {
        clearTimeout(timer);
        signal.removeEventListener('abort', done);
        resolve();
      };
      const timer = setTimeout(done, signal.aborted ? 0 : Math.min(ms, LONGEST_TIMER_MS));
      signal.addEventListener('abort', done);
    }),
  after: (ms, callback) => {
    const timer = setTimeout(callback, Math.min(ms, LONGEST_TIMER_MS));
    return () => clearTimeout(timer);
  },
};

/** The bounds of a request: what ends it early. */
export type Bounds = Readonly<{
  deadline: AbortSignal;
  cancel: AbortSignal;
  /** Aborts with the deadline and with `cancel`. */
  stop: AbortSignal;
  timing: Timing;
}>;

/** How long a request may wait for a connection, TLS included. */
export const CONNECT_LIMIT_MS = 10_000;

/** Why this action stopped an attempt. */
export type StopCause = 'cancelled' | 'deadline' | 'connect';

/** What stopped a request; undefined if nothing did. Cancellation takes precedence over the deadline. */
export function stopCauseOf({
  cancel,
  deadline,
}: Pick<Bounds, 'cancel' | 'deadline'>): Exclude<StopCause, 'connect'> | undefined {
  if (cancel.aborted) return 'cancelled';
  return deadline.aborted ? 'deadline' : undefined;
}

/** A signal that aborts with others until it is unlinked. */
export type LinkedAbort = Readonly<{ signal: AbortSignal; unlink: () => void }>;

/** The reason for abort(). Without a reason, Node.js creates a DOMException with a stack each time. */
export const ABORTED = 'aborted';

/**
 * A signal that aborts with the first of `sources`. Unlike AbortSignal.any, it can be unlinked, so that a signal that
 * lives as long as the step does not keep every response in memory.
 */
export function linkAbort(...sources: readonly AbortSignal[]): LinkedAbort {
  const controller = new AbortController();
  const abort = (): void => controller.abort(ABORTED);
  for (const source of sources) {
    if (source.aborted) abort();
    else source.addEventListener('abort', abort);
  }
  return {
    signal: controller.signal,
    unlink: () => {
      for (const source of sources) source.removeEventListener('abort', abort);
    },
  };
}

/**
 * The callbacks of a signal that exists as long as the step. An EventTarget keeps its listeners in a chain, and a removed
 * listener still refers to the next: V8 would keep the listeners of thousands of ended invocations in memory.
 */
class AbortCallbacks {
  readonly #callbacks: ((() => void) | undefined)[] = [];
  readonly #free: number[] = [];

  constructor(signal: AbortSignal) {
    signal.addEventListener('abort', () => {
      for (const callback of this.#callbacks) callback?.();
    });
  }

  /** Adds a callback. The returned function removes it. */
  add(callback: () => void): () => void {
    const place = this.#free.pop() ?? this.#callbacks.length;
    this.#callbacks[place] = callback;
    return () => {
      if (this.#callbacks[place] !== callback) return;
      this.#callbacks[place] = undefined;
      this.#free.push(place);
    };
  }
}

const CALLBACKS = new WeakMap<AbortSignal, AbortCallbacks>();

/** Calls back when a signal aborts that exists as long as the step. The returned function cancels that. */
function onAbort(signal: AbortSignal, callback: () => void): () => void {
  const callbacks = CALLBACKS.get(signal) ?? new AbortCallbacks(signal);
  CALLBACKS.set(signal, callbacks);
  return callbacks.add(callback);
}

/** A signal that aborts with `stop`, and with `halt`, which exists as long as the step. */
export function linkHalt(stop: AbortSignal, halt: AbortSignal | undefined): LinkedAbort {
  if (halt === undefined) return { signal: stop, unlink: () => {} };
  const controller = new AbortController();
  const abort = (): void => controller.abort(ABORTED);
  stop.addEventListener('abort', abort);
  const unlink = onAbort(halt, abort);
  if (stop.aborted || halt.aborted) abort();
  return { signal: controller.signal, unlink };
}

/** Bounds that end when the workflow is cancelled, or after `ms` milliseconds. `release` frees their resources. */
export function boundsFor(
  ms: number,
  { cancel, timing }: Pick<Bounds, 'cancel' | 'timing'>,
): Readonly<{ bounds: Bounds; release: () => void }> {
  const deadline = new AbortController();
  const clearDeadline = timing.after(ms, () => deadline.abort());
  const stop = new AbortController();
  const abort = (): void => stop.abort(ABORTED);
  deadline.signal.addEventListener('abort', abort);
  const unlink = onAbort(cancel, abort);
  if (cancel.aborted) abort();
  return {
    bounds: { deadline: deadline.signal, cancel, stop: stop.signal, timing },
    release: () => {
      clearDeadline();
      unlink();
    },
  };
}
