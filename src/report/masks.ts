import { setSecret, warning } from '@actions/core';
import type { Secrets } from '../outcome/outcome.ts';

/** Tells the runner what to mask in the log from here on. */
export function registerSecrets({ texts, complete }: Secrets): void {
  for (const text of texts) setSecret(text);
  if (!complete) {
    warning('A mask could not be evaluated on this outcome, so the response and the log are not shown.');
  }
}
