import { error, warning } from '@actions/core';
import { adviseOnFunctionError } from '../outcome/function-advice.ts';
import { type ErrorFacts, readFunctionError } from '../outcome/function-error.ts';
import { readReport } from '../outcome/log-tail.ts';
import type { Judgement, Outcome, WithheldReason } from '../outcome/outcome.ts';
import { messageOf } from '../thrown.ts';
import { cut } from './fence.ts';

/** An error or a warning beside the workflow's name: a short title, and a body of a few lines. */
export type Annotation = Readonly<{ level: 'error' | 'warning'; title: string; body: string }>;

const TITLES = {
  function_error: 'Lambda Function Execution Error',
  expectation_failed: 'Expectation Not Met',
  not_invoked: 'Failed to Invoke Lambda Function',
  unknown: 'Failed to Invoke Lambda Function',
} as const;

const SHOWN_FRAMES = 3;
const SHOWN_PROBLEMS = 100;
const SHOWN_BYTES = 4 * 1024;
const SHOWN_FRAME_BYTES = 512;
/** A runner keeps ten annotations of a kind in a step. */
const MOST = 10;

type FunctionErrorOutcome = Extract<Outcome, { outcome: 'function_error' }>;

const lines = (...parts: readonly (string | undefined)[]): string => parts.filter(Boolean).join('\n');

function errorLines({ type, message, frames }: ErrorFacts): string[] {
  return [
    cut([type, message].filter(Boolean).join(': '), SHOWN_BYTES),
    ...frames.slice(0, SHOWN_FRAMES).map((frame) => `    ${cut(frame, SHOWN_FRAME_BYTES)}`),
  ];
}

/** What every answered invocation ends with: which function, and where to find it in the logs. */
const whichOne = ({ label, outcome }: Judgement): (string | undefined)[] => [
  `Function: ${label}`,
  outcome.request_id && `Request id: ${outcome.request_id}`,
];

/** Where to find what had arrived of a stream. */
const partialFile = ({ responseFile }: Judgement): string | undefined =>
  responseFile && !responseFile.isWhole
    ? `What had arrived of the response is in ${responseFile.path}`
    : undefined;

function functionErrorBody(judgement: Judgement & { outcome: FunctionErrorOutcome }): string {
  const { outcome, tailRefused } = judgement;
  const told = readFunctionError(outcome.result);
  const log = outcome.log_result;
  const report = log === undefined ? undefined : readReport(log, outcome.request_id);
  const causes = (told.causes ?? [])
    .map(errorLines)
    .map(([first, ...rest]) => [`Caused by: ${first}`, ...rest]);
  return lines(
    ...errorLines(told),
    ...causes.flat(),
    adviseOnFunctionError(told, report),
    partialFile(judgement),
    ...whichOne(judgement),
    log === undefined && !tailRefused ? "Set log_type: Tail to see the function's log here." : undefined,
  );
}

function bodyOf(judgement: Judgement): string {
  const { label, outcome, unmet } = judgement;
  switch (outcome.outcome) {
    case 'succeeded':
      return '';
    case 'function_error':
      return functionErrorBody({ ...judgement, outcome });
    case 'expectation_failed':
      return lines(
        ...unmet.flatMap(({ expectation, why }) => [`Expected ${expectation.expression}`, `    ${why}`]),
        ...whichOne(judgement),
      );
    case 'not_invoked':
    case 'unknown':
      return lines(
        `${label}: ${outcome.error.name}: ${cut(outcome.error.message, SHOWN_BYTES)}`,
        partialFile(judgement),
        outcome.error.advice,
        outcome.request_id && `Request id: ${outcome.request_id}`,
      );
    default:
      return outcome satisfies never;
  }
}

function annotationOf(judgement: Judgement): Annotation | undefined {
  const { outcome } = judgement;
  if (outcome.outcome === 'succeeded') return undefined;
  return {
    level: judgement.failsStep ? 'error' : 'warning',
    title: TITLES[outcome.outcome],
    body: bodyOf(judgement),
  };
}

function unansweredQuery({ label, queryProblem }: Judgement): Annotation | undefined {
  return queryProblem === undefined
    ? undefined
    : { level: 'warning', title: 'Query Not Evaluated', body: `${label}: ${cut(queryProblem, SHOWN_BYTES)}` };
}

const WITHHELD: Readonly<Record<WithheldReason, string>> = {
  mask_failed: 'a mask cannot be evaluated',
  not_json: 'the response is not JSON, and masks can be applied to JSON only',
  too_many_secrets:
    'the masks yield too many secrets: the most is 10,000, or 1,000,000 characters in all their forms',
  inexact_number: 'a mask yields a number with more digits than can be read exactly',
};

/** A response that is not shown, because something in it may have to be masked. */
function withheldResponse({ label, secrets }: Judgement): Annotation | undefined {
  return secrets.withheld === undefined
    ? undefined
    : {
        level: 'warning',
        title: 'Response Withheld',
        body: `${label}: the response and the log are not shown, because ${WITHHELD[secrets.withheld]}. The outputs have them.`,
      };
}

/** What one invocation has to say beside the workflow's name: its failure, and what could not be evaluated or shown. */
export function annotationsFor(judgement: Judgement): Annotation[] {
  return [annotationOf(judgement), unansweredQuery(judgement), withheldResponse(judgement)].filter(
    (annotation) => annotation !== undefined,
  );
}

/** Collects annotations: at most ten of a level, as many as a runner keeps; the last one counts the rest. */
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

  /** What to write, errors first. */
  get all(): Annotation[] {
    return (['error', 'warning'] as const).flatMap((level) => {
      const kept = this.#of(level);
      const last = kept.at(-1);
      const more = this.#more[level];
      if (last === undefined || more === 0) return kept;
      return [...kept.slice(0, -1), { ...last, body: `${last.body}\n… and ${more} more failed.` }];
    });
  }
}

/** All problems of the inputs in one annotation; of a very long list the first hundred. */
export function invalidInput(problems: readonly string[]): Annotation {
  const rest = problems.length - SHOWN_PROBLEMS;
  const more = rest > 0 ? [`… and ${rest} more problems.`] : [];
  return {
    level: 'error',
    title: 'Invalid Input',
    body: [...problems.slice(0, SHOWN_PROBLEMS), ...more].join('\n'),
  };
}

/** A response file that could not be written; later steps would look for it. */
export function unwrittenResponse(error: unknown): Annotation {
  return { level: 'error', title: 'Response Not Written', body: `result_file: ${messageOf(error)}` };
}

/** Writes annotations; `@actions/core` escapes what a runner would take for a command. */
export function writeAnnotations(annotations: readonly Annotation[]): void {
  for (const { level, title, body } of annotations) {
    if (level === 'error') error(body, { title });
    else warning(body, { title });
  }
}
