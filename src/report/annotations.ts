import { error, warning } from '@actions/core';
import type { ErrorFacts } from '../outcome/function-error.ts';
import type { MaskedEvaluation } from '../outcome/masks.ts';
import type { WithheldReason } from '../outcome/outcome.ts';
import { grouped, shortened, utf8Start } from '../shared/text.ts';
import { isFields } from '../shared/values.ts';

/** A part of a text: our own text, which is kept if possible, or foreign text, which is cut first. */
export type Part = Readonly<{ text: string; isForeign: boolean }>;

/**
 * The longest length of each text, so that all fit together. Short texts stay whole, and long texts get the same
 * length.
 */
function longestOf(texts: readonly string[], room: number): number {
  let left = room;
  const ascending = texts.map(({ length }) => length).sort((one, other) => one - other);
  for (const [at, length] of ascending.entries()) {
    const share = Math.max(0, Math.floor(left / (ascending.length - at)));
    if (length > share) return share;
    left -= length;
  }
  return Number.POSITIVE_INFINITY;
}

// The smallest share of a body for foreign text.
const FOREIGN_SHARE = 0.2;

/** Joins parts, one per line, into a text of at most `limit` UTF-16 units. */
export function fitParts(parts: readonly Part[], limit: number): string {
  const room = limit - parts.length;
  const own = parts.filter(({ isForeign }) => !isForeign).map(({ text }) => text);
  const foreign = parts.filter(({ isForeign }) => isForeign).map(({ text }) => text);
  const longestOwn = longestOf(own, room * (1 - FOREIGN_SHARE));
  const used = own.reduce((sum, { length }) => sum + Math.min(length, longestOwn), 0);
  const longestForeign = longestOf(foreign, room - used);
  return parts
    .map(({ text, isForeign }) => shortened(text, isForeign ? longestForeign : longestOwn))
    .join('\n');
}

/** The first lines that fit into `limit` UTF-16 units together. If even the first line is too long, it is cut. */
export function fitWholeLines(lines: readonly string[], limit: number): string[] {
  let left = limit;
  const fitting = lines.findIndex((line) => {
    left -= line.length + 1;
    return left < 0;
  });
  if (fitting === 0) return lines.slice(0, 1).map((line) => shortened(line, limit));
  return lines.slice(0, fitting < 0 ? lines.length : fitting);
}

/** An error or a warning: a short title, and a body of a few lines. */
export type Annotation = Readonly<{ level: 'error' | 'warning'; title: string; body: string }>;

const TITLES = {
  function_error: 'Lambda Function Execution Error',
  expectation_failed: 'Expectation Not Met',
  not_invoked: 'Failed to Invoke Lambda Function',
  unknown: 'Lambda Outcome Unknown',
} as const;

const SHOWN_FRAMES = 3;
const SHOWN_PROBLEMS = 100;
const SHOWN_UNMET = 20;
const SHOWN_RESPONSE_BYTES = 2_048;
/** A runner keeps ten annotations of a kind in a step. */
const MOST = 10;

// A runner cuts a message at 4,096 UTF-16 units (ExecutionContext.cs of actions/runner). The difference is for the line
// that counts further failures, and for masking, which the runner does first and which makes a short secret longer.
const LONGEST_BODY = 4_000;

/** A line of our own that the reader needs; none where it is empty. */
const kept = (text: string | undefined): Part[] => (text ? [{ text, isForeign: false }] : []);
/** Text of a function, or of another server that responded instead of Lambda. It is cut if it is long. */
const foreign = (text: string): Part[] => (text ? [{ text, isForeign: true }] : []);

const bodyFrom = (...parts: readonly Part[][]): string => fitParts(parts.flat(), LONGEST_BODY);

function errorParts({ type, message, frames }: ErrorFacts): Part[] {
  return [
    ...foreign([type, message].filter(Boolean).join(': ')),
    ...frames.slice(0, SHOWN_FRAMES).flatMap((frame) => foreign(`    ${frame}`)),
  ];
}

const causeParts = (cause: ErrorFacts): Part[] =>
  errorParts(cause).map((part, at) => (at === 0 ? { ...part, text: `Caused by: ${part.text}` } : part));

const requestIdParts = ({ outcome }: MaskedEvaluation): Part[] =>
  kept(outcome.request_id && `Request ID: ${outcome.request_id}`);

/** The last lines of every annotation on a response: the function and the link to its log. */
function sourceParts(evaluation: MaskedEvaluation): Part[] {
  const url = evaluation.outcome.log_url;
  return [
    ...kept(`Function: ${evaluation.label}`),
    ...requestIdParts(evaluation),
    ...kept(url && `Log: ${url}`),
  ];
}

/** The file with the part of a stream that arrived. */
const partialFileParts = ({ responseFile }: MaskedEvaluation): Part[] =>
  responseFile && !responseFile.isWhole
    ? kept(`The part of the response that arrived was saved to ${responseFile.path}`)
    : [];

function functionErrorBody(evaluation: MaskedEvaluation): string {
  const { functionError } = evaluation;
  return bodyFrom(
    functionError === undefined ? [] : errorParts(functionError),
    (functionError?.causes ?? []).flatMap(causeParts),
    kept(functionError?.advice),
    partialFileParts(evaluation),
    sourceParts(evaluation),
  );
}

/** The start of the response, so that a user can correct the expectation. */
function responseParts({ response }: MaskedEvaluation): Part[] {
  if (response.length === 0) return [];
  const isCut = response.length > SHOWN_RESPONSE_BYTES;
  const text = utf8Start(response, SHOWN_RESPONSE_BYTES);
  return foreign(
    `Response: ${text}${isCut ? `… (the first 2 KB of ${grouped(response.length)} bytes)` : ''}`,
  );
}

function bodyOf(evaluation: MaskedEvaluation): string {
  const { label, outcome, unmet } = evaluation;
  switch (outcome.outcome) {
    case 'succeeded':
      return '';
    case 'function_error':
      return functionErrorBody(evaluation);
    case 'expectation_failed':
      return bodyFrom(
        unmet
          .slice(0, SHOWN_UNMET)
          .flatMap(({ expectation, why }) => [
            ...foreign(`Expected ${expectation.expression}`),
            ...foreign(`    ${why.replaceAll('\n', '\n    ')}`),
          ]),
        unmet.length > SHOWN_UNMET ? kept(`… and ${unmet.length - SHOWN_UNMET} more expectations.`) : [],
        sourceParts(evaluation),
        responseParts(evaluation),
      );
    case 'not_invoked':
    case 'unknown':
      return bodyFrom(
        foreign(`${label}: ${outcome.error.name}: ${outcome.error.message}`),
        partialFileParts(evaluation),
        kept(outcome.error.advice),
        requestIdParts(evaluation),
      );
    default:
      return outcome satisfies never;
  }
}

function failureAnnotation(evaluation: MaskedEvaluation): Annotation | undefined {
  const { outcome } = evaluation;
  if (outcome.outcome === 'succeeded') return undefined;
  return {
    level: evaluation.failsStep ? 'error' : 'warning',
    title: TITLES[outcome.outcome],
    body: bodyOf(evaluation),
  };
}

function queryAnnotation({ label, queryProblem }: MaskedEvaluation): Annotation | undefined {
  return queryProblem === undefined
    ? undefined
    : {
        level: 'warning',
        title: 'No Query Value',
        body: bodyFrom(foreign(`${label}: ${queryProblem}`)),
      };
}

const WITHHELD: Readonly<Record<WithheldReason, string>> = {
  mask_failed: 'a mask cannot be evaluated',
  mask_found_nothing:
    'a mask finds nothing in the response (name optional fields in one mask: response.[token, key])',
  not_json: 'the response is not JSON, and masks can be applied to JSON only',
  too_many_secrets:
    'the masks find too many secrets: the limit is 10,000, or 1,000,000 characters in all their forms',
  inexact_number: 'a mask finds a number with more digits than can be read exactly',
};

/** A warning if the response is not shown because not all secrets in it are known. */
function withheldAnnotation({ label, withheld }: MaskedEvaluation): Annotation | undefined {
  return withheld === undefined
    ? undefined
    : {
        level: 'warning',
        title: 'Response Withheld',
        body: bodyFrom(
          foreign(
            `${label}: the response and the log are not shown, because ${WITHHELD[withheld]}. The outputs have them.`,
          ),
        ),
      };
}

/** A warning if a function responds with an HTTP error, which is a success for Lambda, and no expectation is set. */
function statusAnnotation({ label, outcome }: MaskedEvaluation): Annotation | undefined {
  if (outcome.outcome !== 'succeeded' || outcome.http !== undefined || outcome.expectations !== undefined) {
    return undefined;
  }
  const { response } = outcome;
  const status = isFields(response) ? response['statusCode'] : undefined;
  const isError = typeof status === 'number' && Number.isInteger(status) && status >= 400 && status < 600;
  return isError
    ? {
        level: 'warning',
        title: 'HTTP Error in Response',
        body: bodyFrom(
          foreign(`${label}: the response has statusCode ${status}, and the step expects nothing of it.`),
          kept('To fail the step, set expect: response.statusCode < `400`'),
        ),
      }
    : undefined;
}

/**
 * The annotations of one invocation: its failure, a query without a value, a response that is not shown, and an HTTP
 * error that nothing checks.
 */
export function annotationsFor(evaluation: MaskedEvaluation): Annotation[] {
  return [
    failureAnnotation(evaluation),
    queryAnnotation(evaluation),
    withheldAnnotation(evaluation),
    statusAnnotation(evaluation),
  ].filter((annotation) => annotation !== undefined);
}

/** What the annotations are that are only counted. A warning does not mean that an invocation failed. */
const MORE_IN_WORDS: Readonly<Record<Annotation['level'], (count: number) => string>> = {
  error: () => 'failed',
  warning: (count) => (count === 1 ? 'warning' : 'warnings'),
};

/** Collects annotations: at most ten per level, as many as a runner keeps. The last one counts the rest. */
export class AnnotationList {
  readonly #kept: Annotation[] = [];
  readonly #more = { error: 0, warning: 0 };

  add(...annotations: readonly Annotation[]): void {
    for (const annotation of annotations) {
      const isFull = this.#of(annotation.level).length >= MOST;
      if (isFull) this.#more[annotation.level] += 1;
      else this.#kept.push(annotation);
    }
  }

  #of(level: Annotation['level']): Annotation[] {
    return this.#kept.filter((annotation) => annotation.level === level);
  }

  /** All annotations to write: errors first, and those of the step before those of its invocations. */
  allWith(ofStep: readonly Annotation[]): Annotation[] {
    return (['error', 'warning'] as const).flatMap((level) => {
      const first = ofStep.filter((annotation) => annotation.level === level);
      const all = this.#of(level);
      const kept = all.slice(0, Math.max(1, MOST - first.length));
      const more = this.#more[level] + all.length - kept.length;
      const last = kept.at(-1);
      if (last === undefined || more === 0) return [...first, ...kept];
      const rest = `… and ${more} more ${MORE_IN_WORDS[level](more)}.`;
      return [...first, ...kept.slice(0, -1), { ...last, body: `${last.body}\n${rest}` }];
    });
  }
}

/** All problems of the inputs in one annotation, or as many as fit. */
export function invalidInput(problems: readonly string[]): Annotation {
  const shown = fitWholeLines(problems.slice(0, SHOWN_PROBLEMS), LONGEST_BODY);
  const rest = problems.length - shown.length;
  const more = rest > 0 ? [`… and ${rest} more ${rest === 1 ? 'problem' : 'problems'}.`] : [];
  return { level: 'error', title: 'Invalid Input', body: [...shown, ...more].join('\n') };
}

/** An annotation of the step itself: foreign text, and below it our own text, which is not cut. */
export function stepAnnotation(
  parts: Readonly<{ level: Annotation['level']; title: string; foreign: string; kept: string }>,
): Annotation {
  return { level: parts.level, title: parts.title, body: bodyFrom(foreign(parts.foreign), kept(parts.kept)) };
}

/** Writes annotations. `@actions/core` escapes text that a runner would read as a command. */
export function writeAnnotations(annotations: readonly Annotation[]): void {
  for (const { level, title, body } of annotations) {
    if (level === 'error') error(body, { title });
    else warning(body, { title });
  }
}
