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

// A timer of Node.js that is longer goes off at once.
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
