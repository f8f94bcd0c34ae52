import { setSecret } from '@actions/core';
import type { Secrets } from '../outcome/outcome.ts';
import { formsOf, SecretTexts } from '../outcome/secret-texts.ts';

/**
 * Least UTF-16 units of a credential that is hidden. A shorter one is a placeholder, such as the `test` that emulators
 * of AWS take for a secret access key: to hide it would make half of the log unreadable.
 */
const SHORTEST = { key: 8, password: 4 } as const;

/** Credentials of a step by what a short one may be: a placeholder for a key is longer than one for a password. */
type StepSecrets = Readonly<{
  keys: readonly (string | undefined)[];
  passwords: readonly (string | undefined)[];
}>;

/** Registers texts with the runner, which masks them in the log from then on, and with what hides them elsewhere. */
export function registerSecrets({ texts }: Pick<Secrets, 'texts'>, known: SecretTexts): void {
  const fresh = texts.filter((text) => !known.has(text));
  for (const text of fresh) setSecret(text);
  known.add(fresh);
}

/** Does the same with credentials of the step, in every form in which a response may repeat them. */
export function registerCredentials(
  kind: keyof typeof SHORTEST,
  credentials: readonly (string | undefined)[],
  known: SecretTexts,
): void {
  const fresh = credentials
    .filter((text) => text !== undefined)
    .filter((text) => text.length >= SHORTEST[kind] && !known.has(text));
  registerSecrets({ texts: fresh.flatMap(formsOf) }, known);
}

/** Starts what is hidden in a step with the credentials that it has from the start. */
export function hideCredentials({ keys, passwords }: StepSecrets): SecretTexts {
  const known = new SecretTexts();
  registerCredentials('key', keys, known);
  registerCredentials('password', passwords, known);
  return known;
}
