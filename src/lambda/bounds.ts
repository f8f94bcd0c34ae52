import type { Timing } from './timing.ts';

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

/** What stopped a request; undefined where nothing did. A cancelled workflow explains more than a deadline. */
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
