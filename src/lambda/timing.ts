/** Time and randomness, passed in so that tests own them. */
export type Timing = Readonly<{
  /** Milliseconds since 1970. */
  now: () => number;
  /** From 0 to 1, 1 excluded. */
  random: () => number;
  /** Resolves after `ms` milliseconds, or at once when `signal` aborts. */
  sleep: (ms: number, signal: AbortSignal) => Promise<void>;
  /** Calls back after `ms` milliseconds; the returned function cancels that. */
  after: (ms: number, callback: () => void) => () => void;
}>;

/** Resolves once the event loop has looked at its sockets and timers. */
export async function eventLoopTurn(): Promise<void> {
  // The first callback may come in the turn that has looked at them already.
  for (let turn = 0; turn < 2; turn += 1) await new Promise<void>((resolve) => setImmediate(resolve));
}

// Node.js fires a longer timer at once.
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** The machine's own time and randomness. */
export const REAL_TIMING: Timing = {
  now: Date.now,
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

/** What ends a request before it ends by itself. */
export type Bounds = Readonly<{
  deadline: AbortSignal;
  cancel: AbortSignal;
  /** Aborts with the deadline and with `cancel`. */
  stop: AbortSignal;
  timing: Timing;
}>;

/** How long a request may wait for a connection, TLS included. */
export const CONNECT_LIMIT_MS = 10_000;

/** Why an attempt was stopped from here. */
export type StopCause = 'cancelled' | 'deadline' | 'connect';

/** What stopped a request; undefined if nothing did. A cancelled workflow explains more than a deadline. */
export function stopCauseOf({
  cancel,
  deadline,
}: Pick<Bounds, 'cancel' | 'deadline'>): Exclude<StopCause, 'connect'> | undefined {
  if (cancel.aborted) return 'cancelled';
  return deadline.aborted ? 'deadline' : undefined;
}

/** A signal that follows others until it is unlinked. */
export type LinkedAbort = Readonly<{ signal: AbortSignal; unlink: () => void }>;

/** A reason to abort with: without one, Node.js makes a DOMException with a stack each time. */
export const ABORTED = 'aborted';

/**
 * A signal that aborts with the first of `sources`. Unlike AbortSignal.any it keeps nothing alive once it is
 * unlinked, so that a signal that lives as long as the step does not keep every response in memory.
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

/** Bounds that end with the workflow, and after `ms` milliseconds. `release` frees what they hold. */
export function boundsFor(
  ms: number,
  { cancel, timing }: Pick<Bounds, 'cancel' | 'timing'>,
): Readonly<{ bounds: Bounds; release: () => void }> {
  const deadline = new AbortController();
  const clearDeadline = timing.after(ms, () => deadline.abort());
  const { signal: stop, unlink } = linkAbort(cancel, deadline.signal);
  return {
    bounds: { deadline: deadline.signal, cancel, stop, timing },
    release: () => {
      clearDeadline();
      unlink();
    },
  };
}
