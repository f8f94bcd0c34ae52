/** A signal that follows others until it is let go. */
export type LinkedAbort = Readonly<{ signal: AbortSignal; unlink: () => void }>;

/**
 * A signal that aborts with the first of `sources`. Unlike AbortSignal.any it holds on to nothing once it is
 * let go, so that a signal that lives as long as the step does not keep every response alive.
 */
export function linkAbort(...sources: readonly AbortSignal[]): LinkedAbort {
  const controller = new AbortController();
  const abort = (): void => controller.abort();
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
