import { setSecret } from '@actions/core';
import type { Secrets } from '../outcome/outcome.ts';
import { formsOf, SecretTexts } from '../outcome/secret-texts.ts';

/**
 * The least UTF-16 units of a credential that is hidden. A shorter one is a placeholder, such as the secret access key
 * `test` for an emulator. Hiding it would make half of the log unreadable.
 */
const SHORTEST = { key: 8, password: 4 } as const;

/** The credentials of a step. A placeholder for a key is longer than one for a password. */
type StepSecrets = Readonly<{
  keys: readonly (string | undefined)[];
  passwords: readonly (string | undefined)[];
}>;

/** Registers secrets with the runner, which masks them in the log from then on, and for hiding them elsewhere. */
export function registerSecrets({ texts }: Pick<Secrets, 'texts'>, known: SecretTexts): void {
  const fresh = texts.filter((text) => !known.has(text));
  for (const text of fresh) setSecret(text);
  known.add(fresh);
}

/** Does the same for credentials of the step, in every form in which a response may repeat them. */
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

/** The secrets of a step, beginning with the credentials that it has from the start. */
export function hideCredentials({ keys, passwords }: StepSecrets): SecretTexts {
  const known = new SecretTexts();
  registerCredentials('key', keys, known);
  registerCredentials('password', passwords, known);
  return known;
}
