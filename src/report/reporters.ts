import type { EvaluatedInvocation } from '../outcome/evaluate.ts';
import type { MaskedEvaluation } from '../outcome/masks.ts';
import { isHalted } from '../outcome/outcome.ts';
import type { ReportedOutcome, StepResults } from '../outcome/step-results.ts';
import { messageOf } from '../shared/values.ts';
import {
  type Annotation,
  AnnotationList,
  annotationsFor,
  stepAnnotation,
  writeAnnotations,
} from './annotations.ts';
import { contentsOf, FailureNotes, haltedLine, type LogGroup, writeEnd, writeLog } from './log.ts';
import { type OutcomesFile, type OutputOptions, StepOutputs, writeSummary } from './outputs.ts';
import type { LogThrottle } from './progress.ts';
import { renderParts, type SummaryExtras, summarizeOne } from './summary/single.ts';

/** A kind of report. Later steps rely on a required report, so the step fails if it is not written. */
type ReportKind = Readonly<{ isRequired: boolean; title: string; what: string; fix: string }>;

const DISK = 'Check the disk space of the runner';

const KINDS = {
  log: {
    isRequired: false,
    title: 'Log Not Written',
    what: 'The log is not complete',
    fix: 'The outcomes are in the outputs and the outcomes file.',
  },
  outcomes_file: {
    isRequired: true,
    title: 'Outcomes File Not Complete',
    what: 'The outcomes file is not complete',
    fix: `${DISK}.`,
  },
  log_file: {
    isRequired: false,
    title: 'Function Log Not Complete',
    what: 'The file of the function log is not complete',
    fix: `${DISK}.`,
  },
  response: {
    isRequired: true,
    title: 'Response Not Written',
    what: 'The file of the response was not written',
    fix: 'Check response_file, the permissions of its folder, and the disk space of the runner.',
  },
  outputs: {
    isRequired: true,
    title: 'Outputs Not Written',
    what: 'The outputs were not written',
    fix: `Later steps cannot read them. ${DISK}, and the file that GITHUB_OUTPUT names.`,
  },
  summary: {
    isRequired: false,
    title: 'Job Summary Not Written',
    what: 'The job summary was not written',
    fix: `${DISK} and the file that GITHUB_STEP_SUMMARY names, or set summary: false.`,
  },
  journal: {
    isRequired: true,
    title: 'Journal Not Complete',
    what: 'The journal is not complete',
    fix: `${DISK}. The next run reports as unknown what the journal does not have.`,
  },
  annotations: {
    isRequired: false,
    title: 'Annotations Not Written',
    what: 'The annotations are not complete',
    fix: 'The outcomes are in the outputs and the outcomes file.',
  },
  comment: {
    isRequired: false,
    title: 'Comment Not Written',
    what: 'The comment on the pull request was not written',
    fix: 'To run without the comment, set comment_on_pull_request: false.',
  },
  internal: {
    isRequired: true,
    title: 'Unexpected Error',
    what: 'An unexpected error occurred',
    fix: "Check the function's log before you retry. This is a defect of the action: report it with this message.",
  },
} as const satisfies Readonly<Record<string, ReportKind>>;

/** The names of the reports; `internal` is for code that should never fail. */
export type ReportName = keyof typeof KINDS;

/** The annotation for a report that could not be written: what, why and how to fix it. */
export function notWritten(report: ReportName, error: unknown): Annotation {
  const { isRequired, title, what, fix } = KINDS[report];
  return stepAnnotation({
    level: isRequired ? 'error' : 'warning',
    title,
    foreign: `${what}: ${messageOf(error)}`,
    kept: fix,
  });
}

/** Guards each report separately. A report that can't be written becomes an annotation, and the others continue. */
export class ReportGuard {
  readonly #problems: Annotation[] = [];
  /** Annotations that were taken or are waiting, so that an error that many invocations have is reported once. */
  readonly #known = new Set<string>();
  #failsStep = false;

  /** Whether a report is missing that later steps rely on. */
  get failsStep(): boolean {
    return this.#failsStep;
  }

  /** Runs a part of a report; undefined if it failed. */
  async run<Written>(
    report: ReportName,
    work: () => Written | Promise<Written>,
  ): Promise<Written | undefined> {
    try {
      return await work();
    } catch (error) {
      this.fail(report, error);
      return undefined;
    }
  }

  /** Records that a report could not be written. */
  fail(report: ReportName, error: unknown): void {
    const problem = notWritten(report, error);
    this.#failsStep ||= problem.level === 'error';
    if (this.#known.has(problem.body)) return;
    this.#known.add(problem.body);
    this.#problems.push(problem);
  }

  /** The annotations about reports that could not be written, without duplicates. */
  takeProblems(): readonly Annotation[] {
    return this.#problems.splice(0);
  }
}

/** A report. `add` is called the moment an invocation ends, and `write` when all have ended. */
export type Reporter = Readonly<{
  name: ReportName;
  add?: (evaluated: EvaluatedInvocation) => void;
  write: () => void | Promise<void>;
}>;

/** The input of a reporter that must not see unmasked values. */
type Masked = Pick<EvaluatedInvocation, 'masked' | 'maskedJson'>;

/** What to show, and where to write the reports of a step. */
export type ReportOptions = Readonly<{
  results: StepResults;
  guard: ReportGuard;
  throttle: LogThrottle;
  outcomesFile: OutcomesFile;
  showResponse: boolean;
  /** Whether the log shows a streamed response as it arrives. */
  isShownAlready: boolean;
  /** Whether the functions' logs are followed, so that this report does not write them. */
  followsLog: boolean;
  writesSummary: boolean;
  /** The ID of the step in its job. */
  stepId: string;
  outputs: OutputOptions;
  /** Absent if no journal is kept. */
  journal?: Pick<Reporter, 'add' | 'write'>;
  /** Absent if no comment is wanted. */
  comment?: () => Promise<void>;
}>;

function logReporter({ results, throttle, outputs, ...shown }: ReportOptions): Reporter {
  const notes = new FailureNotes(shown);
  let single: MaskedEvaluation | undefined;
  return {
    name: 'log',
    add: ({ masked }: Masked) => {
      if (outputs.total === 1) single = masked;
      // Invocations that were not sent after a failure are counted at the end.
      else if (!isHalted(masked.outcome)) notes.add(masked);
      throttle.end(masked);
    },
    write: () => {
      if (single === undefined) writeEnd(notes, results.counts);
      else writeLog(single, shown);
    },
  };
}

const haltedAnnotations = ({ counts }: StepResults): Annotation[] =>
  counts.halted === 0
    ? []
    : [
        stepAnnotation({
          level: 'warning',
          title: 'Stopped on Failure',
          foreign: '',
          kept: `${haltedLine(counts)} Fix the failure and re-run the job.`,
        }),
      ];

function annotationsReporter({ guard, results }: ReportOptions): Reporter {
  const list = new AnnotationList();
  return {
    name: 'annotations',
    add: ({ masked }: Masked) => {
      if (!isHalted(masked.outcome)) list.add(...annotationsFor(masked));
    },
    write: () => writeAnnotations(list.allWith([...guard.takeProblems(), ...haltedAnnotations(results)])),
  };
}

/** The job summary as Markdown. The code for several invocations and for dry runs is loaded only if it is needed. */
async function jobSummaryOf(outcomes: readonly ReportedOutcome[], extras: SummaryExtras): Promise<string> {
  const [single] = outcomes;
  if (single !== undefined && outcomes.length === 1 && single.invocation_type !== 'DryRun') {
    return renderParts(summarizeOne(single), extras);
  }
  const { renderJobSummary } = await import('./summary/permissions.ts');
  return renderJobSummary(outcomes, extras);
}

function summaryReporter({ results, showResponse, stepId, outputs }: ReportOptions): Reporter {
  let contents: readonly LogGroup[] = [];
  return {
    name: 'summary',
    add: ({ masked }: Masked) => {
      if (outputs.total === 1 && masked.withheld === undefined) {
        contents = contentsOf(masked, { showResponse });
      }
    },
    write: async () => writeSummary(await jobSummaryOf(results.outcomes, { contents, stepId })),
  };
}

/**
 * The reporters of a step, in the order in which they write. The comment is last, because only it waits for a server.
 */
export function createReporters(options: ReportOptions): Reporter[] {
  const { results, outcomesFile, writesSummary, journal, comment } = options;
  const outputs = new StepOutputs(options.outputs);
  return [
    ...(journal === undefined ? [] : [{ ...journal, name: 'journal' } as const]),
    logReporter(options),
    {
      name: 'outcomes_file',
      add: ({ maskedJson }: Masked) => outcomesFile.append(maskedJson),
      write: () => outcomesFile.complete(),
    },
    { name: 'response', write: () => outputs.saveResponse() },
    {
      name: 'outputs',
      add: (evaluated) => outputs.add(evaluated),
      write: () => outputs.write(results.counts),
    },
    ...(writesSummary ? [summaryReporter(options)] : []),
    annotationsReporter(options),
    ...(comment === undefined ? [] : [{ name: 'comment', write: comment } as const]),
  ];
}

/** The reports of a step. Each is guarded separately, so that the others are written if one fails. */
export class Reports {
  readonly #reporters: readonly Reporter[];
  readonly #guard: ReportGuard;

  constructor(reporters: readonly Reporter[], guard: ReportGuard) {
    this.#reporters = reporters;
    this.#guard = guard;
  }

  /** Adds an invocation the moment it ends. */
  async add(evaluated: EvaluatedInvocation): Promise<void> {
    for (const { name, add } of this.#reporters) await this.#guard.run(name, () => add?.(evaluated));
  }

  /**
   * Writes every report, and at the end the annotations about reports that failed after the annotations were written.
   */
  async write(): Promise<void> {
    for (const { name, write } of this.#reporters) await this.#guard.run(name, write);
    writeAnnotations(this.#guard.takeProblems());
  }
}
