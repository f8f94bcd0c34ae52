import { isFields } from '../fields.ts';
import type { Expectation, Search } from './expectations.ts';
import type { Judgement, Outcome, Secrets } from './outcome.ts';
import type { SecretTexts } from './secret-texts.ts';

/** What to hide in a judgement; where it is not complete, nothing that came from outside may be shown. */
type Hidden = Readonly<{ texts: SecretTexts; complete: boolean }>;

/** Nothing to hide. */
export const NO_SECRETS: Secrets = { texts: [], complete: true };

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

/** Finds what the masks yield on a document, longest first. */
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

/** A value with *** in place of every secret. */
export function maskValue(value: unknown, texts: SecretTexts): unknown {
  if (typeof value === 'string') return texts.hide(value);
  if (typeof value === 'number') return texts.has(String(value)) ? texts.hide(String(value)) : value;
  if (Array.isArray(value)) return value.map((item) => maskValue(item, texts));
  if (!isFields(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [texts.hide(key), maskValue(item, texts)] as const),
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

function maskExpectation({ value, ...told }: Expectation, { texts, complete }: Hidden): Expectation {
  const rest = { ...told, expression: texts.hide(told.expression) };
  if (value === undefined) return rest;
  return { ...rest, value: complete ? maskValue(value, texts) : WITHHELD };
}

function maskOutcome(outcome: Outcome, secrets: Hidden): Outcome {
  const { texts } = secrets;
  const covered = secrets.complete ? outcome : { ...outcome, ...withheld(outcome) };
  const { expectations } = covered;
  return {
    ...covered,
    ...('result' in covered && { result: maskValue(covered.result, texts) }),
    ...('log_result' in covered &&
      covered.log_result !== undefined && { log_result: texts.hide(covered.log_result) }),
    ...('query_result' in covered && { query_result: maskValue(covered.query_result, texts) }),
    ...('error' in covered && {
      error: { ...covered.error, message: texts.hide(covered.error.message) },
    }),
    ...(expectations !== undefined && {
      expectations: expectations.map((expectation) => maskExpectation(expectation, secrets)),
    }),
  };
}

/** A response that is JSON is written anew: a secret in it may be escaped, or have digits, as no other text has. */
function maskResponse(response: string, texts: SecretTexts): string {
  try {
    return texts.hide(JSON.stringify(maskValue(JSON.parse(response), texts)));
  } catch {
    return texts.hide(response);
  }
}

/** What may be shown of a judgement: with *** for every secret in whatever a function or a stranger wrote. */
export function maskJudgement(judgement: Judgement, texts: SecretTexts): Judgement {
  const { complete } = judgement.secrets;
  if (texts.isEmpty && complete) return judgement;
  const secrets: Hidden = { texts, complete };
  const response = new TextDecoder().decode(judgement.response);
  const shown = complete ? maskResponse(response, texts) : WITHHELD;
  return {
    ...judgement,
    outcome: maskOutcome(judgement.outcome, secrets),
    response: response === '' ? judgement.response : new TextEncoder().encode(shown),
    unmet: judgement.unmet.map(({ expectation, why }) => ({
      expectation: maskExpectation(expectation, secrets),
      why: complete ? texts.hide(why) : WITHHELD,
    })),
    ...(judgement.queryProblem !== undefined && {
      queryProblem: complete ? texts.hide(judgement.queryProblem) : WITHHELD,
    }),
    ...(judgement.strangeText !== undefined && { strangeText: texts.hide(judgement.strangeText) }),
  };
}
