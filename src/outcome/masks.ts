import { readsField } from '../shared/expression-tree.ts';
import { utf8 } from '../shared/text.ts';
import { type Fields, isFields } from '../shared/values.ts';
import type { ParseTree, Search } from './expectations.ts';
import type { ExplainedError } from './function-error-advice.ts';
import type { Evaluation, Outcome, Secrets, WithheldReason } from './outcome.ts';
import { formsOf, MASK, type SecretTexts, withoutFirstLine } from './secret-texts.ts';

/** What to hide in an evaluation. If it is withheld, nothing that the function wrote is shown. */
type Hidden = Readonly<{ texts: SecretTexts; isWithheld: boolean }>;

/** Private to this module, so that no other code can make a value that counts as masked. */
const IS_MASKED: unique symbol = Symbol('masked');
type Mark = Readonly<{ [IS_MASKED]: true }>;

/** An outcome that is safe to show. */
export type MaskedOutcome = Outcome & Mark;

/**
 * An evaluation that is safe to show. Only `maskEvaluation` makes one, and all reports except the outputs require it.
 */
export type MaskedEvaluation = Omit<Evaluation, 'outcome' | 'secrets' | 'plainMessage'> &
  Mark &
  Readonly<{
    outcome: MaskedOutcome;
    /** Whether the masked outcome differs from the outcome that was evaluated. */
    hidesSomething: boolean;
    withheld?: WithheldReason;
    /** The function's own error, made of the masked outcome; absent where it did not fail. */
    functionError?: ExplainedError;
  }>;

/** Nothing to hide. */
export const NO_SECRETS: Secrets = { texts: [] };

const WITHHELD = '[withheld: the masks could not be applied]';

/** Whether a secret was replaced in a text or in the name of a field of this value. */
export function hasHidden(value: unknown): boolean {
  if (typeof value === 'string') return value.includes(MASK) || value === WITHHELD;
  if (Array.isArray(value)) return value.some(hasHidden);
  return isFields(value) && Object.entries(value).some(([name, item]) => hasHidden(name) || hasHidden(item));
}

/** The most secrets of one outcome. A runner searches every line of the job for each of them. */
const MOST_SECRETS = 10_000;
/**
 * The most UTF-16 units in all forms of the secrets of one outcome. The search takes about 14 bytes of memory for each.
 */
const MOST_UNITS = 1_000_000;

/** Collects the secrets of one outcome in all their forms, up to the limits. */
class Collector {
  readonly texts = new Set<string>();
  readonly #secrets = new Set<string>();
  #units = 0;
  isFull = false;
  /** Whether a mask could not be evaluated. */
  hasFailed = false;
  /** Whether a mask found nothing in a response. */
  hasMissed = false;
  /** Whether a mask found a number with more digits than can be read exactly, so that its text is not known. */
  isInexact = false;

  /** Adds all strings and numbers in a value. */
  addAll(value: unknown): void {
    if (typeof value === 'string') this.#add(value);
    else if (typeof value === 'number') {
      this.isInexact ||= Number.isInteger(value) && !Number.isSafeInteger(value);
      this.#add(String(value));
    } else if (Array.isArray(value)) for (const item of value) this.addAll(item);
    else if (isFields(value)) for (const item of Object.values(value)) this.addAll(item);
  }

  #add(secret: string): void {
    if (this.isFull || this.#secrets.has(secret)) return;
    this.#secrets.add(secret);
    // The length is checked first, because the forms of a very long text would take many times its memory.
    this.isFull = this.#secrets.size > MOST_SECRETS || this.#units + secret.length > MOST_UNITS;
    if (this.isFull) return;
    for (const form of formsOf(secret)) {
      if (this.texts.has(form)) continue;
      this.texts.add(form);
      this.#units += form.length;
    }
    this.isFull = this.#units > MOST_UNITS;
  }
}

function whyWithheld({ isFull, hasFailed, hasMissed, isInexact }: Collector): WithheldReason | undefined {
  if (isFull) return 'too_many_secrets';
  if (hasFailed) return 'mask_failed';
  if (hasMissed) return 'mask_found_nothing';
  return isInexact ? 'inexact_number' : undefined;
}

/** Whether a value has no string, number or boolean in it. */
const hasNoLeaf = (value: unknown): boolean =>
  value === null ||
  value === undefined ||
  (typeof value === 'object' && Object.values(value).every(hasNoLeaf));

type Reader = Readonly<{ search?: Search | undefined; parseTree?: ParseTree | undefined }>;

/** Whether a mask for the response finds nothing in it, so that the value to hide is not known. */
function findsNothing(
  value: unknown,
  mask: string,
  { document, parseTree }: Reader & { document: unknown },
): boolean {
  if (!isFields(document) || !('response' in document) || parseTree === undefined) return false;
  // A failed function returns an error, which does not have the fields of a response.
  if (document['outcome'] === 'function_error' || !hasNoLeaf(value)) return false;
  const tree = parseTree(mask);
  return readsField(tree, 'response') || readsField(tree, 'http');
}

/** The secrets that the masks find in a document, longest first. */
export function findSecrets(
  masks: readonly string[],
  document: unknown,
  { search, parseTree }: Reader,
): Secrets {
  const found = new Collector();
  for (const mask of masks) {
    try {
      const value = search?.(mask, document, { isStrict: true });
      found.addAll(value);
      found.hasMissed ||= findsNothing(value, mask, { document, parseTree });
    } catch {
      found.hasFailed = true;
    }
  }
  const withheld = whyWithheld(found);
  const texts = found.isFull ? [] : [...found.texts].sort((a, b) => b.length - a.length);
  return { texts, ...(withheld !== undefined && { withheld }) };
}

/** The fields with each entry changed, or the same object if nothing has changed. */
function changed(fields: Fields, change: (name: string, value: unknown) => [string, unknown]): Fields {
  let isChanged = false;
  const entries = Object.entries(fields).map(([name, value]) => {
    const entry = change(name, value);
    isChanged ||= entry[0] !== name || entry[1] !== value;
    return entry;
  });
  return isChanged ? Object.fromEntries(entries) : fields;
}

/** The value with *** instead of every secret, or the same object if it has none. */
export function maskValue(value: unknown, texts: SecretTexts): unknown {
  if (typeof value === 'string') return texts.hide(value);
  if (typeof value === 'number') return texts.has(String(value)) ? texts.hide(String(value)) : value;
  if (Array.isArray(value)) {
    const masked = value.map((item) => maskValue(item, texts));
    return masked.some((item, at) => item !== value[at]) ? masked : value;
  }
  if (!isFields(value)) return value;
  return changed(value, (name, item) => [texts.hide(name), maskValue(item, texts)]);
}

/** Fields whose values this action writes. They are not masked, even if a secret has the same text. */
const OWN_WORDS: ReadonlySet<string> = new Set(['outcome', 'invocation_type', 'started_at']);
/** Fields whose values the function determines. */
const FOREIGN: ReadonlySet<string> = new Set(['response', 'http', 'log_result', 'query_result', 'value']);
/** Fields that contain fields of both kinds. */
const NESTED: ReadonlySet<string> = new Set(['error', 'expectations']);

function maskField(name: string, value: unknown, hidden: Hidden): unknown {
  if (OWN_WORDS.has(name)) return value;
  if (FOREIGN.has(name)) return hidden.isWithheld ? WITHHELD : maskValue(value, hidden.texts);
  if (NESTED.has(name)) {
    if (Array.isArray(value)) return value.map((item) => (isFields(item) ? maskFields(item, hidden) : item));
    if (isFields(value)) return maskFields(value, hidden);
  }
  // A number that the function did not write is one of our figures, such as the status code.
  return typeof value === 'number' ? value : maskValue(value, hidden.texts);
}

/** The fields of an outcome, or of a part of it, with every text masked except our own (OWN_WORDS). */
function maskFields<Kind extends Fields>(fields: Kind, hidden: Hidden): Kind;
function maskFields(fields: Fields, hidden: Hidden): Fields {
  return changed(fields, (name, value) => [name, maskField(name, value, hidden)]);
}

/**
 * Removes the first line of a cut log tail, because the cut may be inside a secret of this outcome. If it has none, the
 * rest of another secret is removed.
 */
function withoutCutLine({ outcome, logIsCut, secrets }: Evaluation, { texts }: Hidden): Outcome {
  if (!logIsCut || !('log_result' in outcome) || outcome.log_result === undefined) return outcome;
  const { log_result: log } = outcome;
  const shown = secrets.texts.length === 0 ? texts.hideCutStart(log) : withoutFirstLine(log);
  return shown === log ? outcome : { ...outcome, log_result: shown };
}

/** Removes the quote of a foreign text from a message if its cut may be inside a secret. */
function withoutQuote(evaluation: Evaluation, outcome: Outcome, { texts, isWithheld }: Hidden): Outcome {
  const { foreignText = '', plainMessage } = evaluation;
  if (!('error' in outcome) || plainMessage === undefined) return outcome;
  if (!isWithheld && texts.hide(foreignText) === foreignText) return outcome;
  return { ...outcome, error: { ...outcome.error, message: plainMessage } };
}

const responseIn = (outcome: Outcome): unknown => ('response' in outcome ? outcome.response : undefined);

/**
 * The response as received, if it has no secret. Otherwise JSON is written again, because escapes may hide a secret.
 */
function maskResponse({ response, outcome }: Evaluation, masked: Outcome, hidden: Hidden): Uint8Array {
  if (response.length === 0) return response;
  if (hidden.isWithheld) return new TextEncoder().encode(WITHHELD);
  const text = utf8(response);
  const parsed = responseIn(outcome);
  const isRewritten = parsed !== responseIn(masked) && parsed !== text;
  const shown = hidden.texts.hide(isRewritten ? JSON.stringify(responseIn(masked)) : text);
  return shown === text ? response : new TextEncoder().encode(shown);
}

/** An evaluation with *** for every secret, except in text that this action wrote itself. */
function hideSecrets(evaluation: Evaluation, hidden: Hidden): Evaluation {
  const outcome = maskFields(withoutQuote(evaluation, withoutCutLine(evaluation, hidden), hidden), hidden);
  const foreign = (text: string): string => (hidden.isWithheld ? WITHHELD : hidden.texts.hide(text));
  return {
    ...evaluation,
    label: hidden.texts.hide(evaluation.label),
    outcome,
    response: maskResponse(evaluation, outcome, hidden),
    unmet: evaluation.unmet.map(({ expectation, why }) => ({
      expectation: maskFields(expectation, hidden),
      why: foreign(why),
    })),
    ...(evaluation.queryProblem !== undefined && { queryProblem: foreign(evaluation.queryProblem) }),
    ...(evaluation.foreignText !== undefined && { foreignText: foreign(evaluation.foreignText) }),
  };
}

/** The evaluation with all secrets hidden, so that it is safe to show. */
export function maskEvaluation(evaluation: Evaluation, texts: SecretTexts): MaskedEvaluation {
  const { withheld } = evaluation.secrets;
  const isWithheld = withheld !== undefined;
  const isUnchanged = texts.isEmpty && !isWithheld;
  const hidden = isUnchanged ? evaluation : hideSecrets(evaluation, { texts, isWithheld });
  const { secrets: _, plainMessage: __, outcome, ...rest } = hidden;
  return {
    ...rest,
    outcome: { ...outcome, [IS_MASKED]: true },
    hidesSomething: outcome !== evaluation.outcome,
    ...(withheld !== undefined && { withheld }),
    [IS_MASKED]: true,
  };
}
