import type { Timing } from './timing.ts';

/** The first wait between two questions of a kind, in milliseconds. */
export const FIRST_POLL_MS = 500;
const LONGEST_POLL_MS = 10_000;
const GROWTH = 1.5;

/** The wait after one of `waitMs`. */
export const nextPoll = (waitMs: number): number => Math.min(LONGEST_POLL_MS, waitMs * GROWTH);

/** Waits, with up to a quarter more at random so that many who ask do not ask at once. */
export const pause = (waitMs: number, timing: Timing, stop: AbortSignal): Promise<void> =>
  timing.sleep(waitMs * (1 + timing.random() / 4), stop);
