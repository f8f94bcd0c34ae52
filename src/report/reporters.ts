import type { EvaluatedInvocation } from '../outcome/evaluate.ts';
import type { ReportedOutcomes } from '../outcome/kept-outcomes.ts';
import type { MaskedEvaluation } from '../outcome/masks.ts';
import { isHalted } from '../outcome/outcome.ts';
import type { StepResults } from '../outcome/step-results.ts';
import {
  type Annotation,
  AnnotationList,
  annotationsFor,
  stepAnnotation,
  writeAnnotations,
} from './annotations.ts';
import type { LogGroup } from './foreign-text.ts';
import type { ReportGuard, ReportName } from './guard.ts';
import { contentsOf, FailureNotes, haltedLine, progressLine, writeEnd, writeLog } from './log.ts';
import { isRequired, notWritten } from './not-written.ts';
import type { OutcomesFile } from './outcomes-file.ts';
import { type OutputOptions, StepOutputs, writeSummary } from './outputs.ts';
import type { LogThrottle } from './progress.ts';
import { renderParts, type SummaryExtras, summarizeOne } from './summary/single.ts';

/** A report: what it takes in the moment an invocation ends, and what it writes when all have ended. */
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
      throttle.end(masked.outcome, (ended, all) => progressLine(masked, ended, all));
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
    write: () =>
      writeAnnotations(
        list.allWith([...guard.takeProblems().map(notWritten), ...haltedAnnotations(results)]),
      ),
  };
}

/** The job summary as Markdown. The code for several invocations and for dry runs is loaded only if it is needed. */
async function jobSummaryOf(outcomes: ReportedOutcomes, extras: SummaryExtras): Promise<string> {
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

  /** Whether a report is missing that later steps rely on. */
  get failsStep(): boolean {
    return this.#guard.failed.some(isRequired);
  }

  /** Writes every report, and says at the end what could not be written since the annotations. */
  async write(): Promise<void> {
    for (const { name, write } of this.#reporters) await this.#guard.run(name, write);
    writeAnnotations(this.#guard.takeProblems().map(notWritten));
  }
}
