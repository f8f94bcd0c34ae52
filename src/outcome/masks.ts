import { isFields } from '../fields.ts';
import type { Expectation, Search } from './expectations.ts';
import type { Judgement, Outcome, Secrets } from './outcome.ts';

/** Nothing to hide. */
export const NO_SECRETS: Secrets = { texts: [], complete: true };

const MASK = '***';
const WITHHELD = '[withheld: a mask could not be evaluated]';

/** All strings and numbers in a value, as text. */
function leaves(value: unknown): string[] {
  if (typeof value === 'string') return [value];
  if (typeof value === 'number') return [String(value)];
  if (Array.isArray(value)) return value.flatMap(leaves);
  return isFields(value) ? Object.values(value).flatMap(leaves) : [];
}

/** A secret line by line, as a runner masks it, and as it stands inside JSON. */
function forms(secret: string): string[] {
  const lines = secret.split(/\r\n|\n|\r/).map((line) => line.trim());
  const escaped = [secret, ...lines].map((text) => JSON.stringify(text).slice(1, -1));
  return [...lines, ...escaped].filter((text) => text.trim() !== '');
}

/** Finds what the masks yield on a document, longest first, so that no part of a secret is left over. */
export function findSecrets(
  masks: readonly string[],
  document: unknown,
  search: Search | undefined,
): Secrets {
  const texts = new Set<string>();
  let complete = true;
  for (const mask of masks) {
    try {
      for (const secret of leaves(search?.(mask, document))) {
        for (const form of forms(secret)) texts.add(form);
      }
    } catch {
      complete = false;
    }
  }
  return { texts: [...texts].sort((a, b) => b.length - a.length), complete };
}

/** Joins the secrets of two findings. */
export function joinSecrets(one: Secrets, other: Secrets): Secrets {
  const texts = [...new Set([...one.texts, ...other.texts])].sort((a, b) => b.length - a.length);
  return { texts, complete: one.complete && other.complete };
}

const maskText = (text: string, secrets: Secrets): string =>
  secrets.texts.reduce((masked, secret) => masked.replaceAll(secret, MASK), text);

/** A value with *** in place of every secret. */
export function maskValue(value: unknown, secrets: Secrets): unknown {
  if (typeof value === 'string') return maskText(value, secrets);
  if (typeof value === 'number') return secrets.texts.includes(String(value)) ? MASK : value;
  if (Array.isArray(value)) return value.map((item) => maskValue(item, secrets));
  if (!isFields(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [maskText(key, secrets), maskValue(item, secrets)] as const),
  );
}

/** Foreign values of an outcome, which a mask that can't be evaluated would have had to cover. */
function withheld(outcome: Outcome): Partial<Record<'result' | 'log_result' | 'query_result', string>> {
  return {
    ...('result' in outcome && { result: WITHHELD }),
    ...('log_result' in outcome && { log_result: WITHHELD }),
    ...('query_result' in outcome && { query_result: WITHHELD }),
  };
}

function maskExpectation({ value, ...told }: Expectation, secrets: Secrets): Expectation {
  const rest = { ...told, expression: maskText(told.expression, secrets) };
  if (value === undefined) return rest;
  return { ...rest, value: secrets.complete ? maskValue(value, secrets) : WITHHELD };
}

function maskOutcome(outcome: Outcome, secrets: Secrets): Outcome {
  const covered = secrets.complete ? outcome : { ...outcome, ...withheld(outcome) };
  const { expectations } = covered;
  return {
    ...covered,
    ...('result' in covered && { result: maskValue(covered.result, secrets) }),
    ...('log_result' in covered &&
      covered.log_result !== undefined && { log_result: maskText(covered.log_result, secrets) }),
    ...('query_result' in covered && { query_result: maskValue(covered.query_result, secrets) }),
    ...('error' in covered && {
      error: { ...covered.error, message: maskText(covered.error.message, secrets) },
    }),
    ...(expectations !== undefined && {
      expectations: expectations.map((expectation) => maskExpectation(expectation, secrets)),
    }),
  };
}

/** A response that is JSON is written anew: a secret in it may be escaped, or have digits, as no other text has. */
function maskResponse(response: string, secrets: Secrets): string {
  try {
    return maskText(JSON.stringify(maskValue(JSON.parse(response), secrets)), secrets);
  } catch {
    return maskText(response, secrets);
  }
}

/** What may be shown of a judgement: with *** for every secret in whatever a function or a stranger wrote. */
export function maskJudgement(judgement: Judgement, secrets: Secrets): Judgement {
  if (secrets.texts.length === 0 && secrets.complete) return judgement;
  const response = new TextDecoder().decode(judgement.response);
  const shown = secrets.complete ? maskResponse(response, secrets) : WITHHELD;
  return {
    ...judgement,
    outcome: maskOutcome(judgement.outcome, secrets),
    response: response === '' ? judgement.response : new TextEncoder().encode(shown),
    unmet: judgement.unmet.map(({ expectation, why }) => ({
      expectation: maskExpectation(expectation, secrets),
      why: secrets.complete ? maskText(why, secrets) : WITHHELD,
    })),
    ...(judgement.queryProblem !== undefined && {
      queryProblem: secrets.complete ? maskText(judgement.queryProblem, secrets) : WITHHELD,
    }),
    ...(judgement.strangeText !== undefined && { strangeText: maskText(judgement.strangeText, secrets) }),
  };
}
