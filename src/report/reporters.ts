import type { EvaluatedInvocation } from '../outcome/evaluator.ts';
import type { MaskedEvaluation } from '../outcome/masks.ts';
import type { StepResults } from '../outcome/step-results.ts';
import { AnnotationList, annotationsFor, writeAnnotations } from './annotations.ts';
import { FailureNotes, writeEnd, writeLog } from './log.ts';
import type { OutcomesFile } from './outcomes-file.ts';
import { type OutputOptions, StepOutputs } from './outputs.ts';
import type { LogThrottle } from './progress.ts';
import type { ReportGuard, ReportName } from './report-guard.ts';
import { renderJobSummary } from './summary/permissions.ts';
import { writeSummary } from './summary/summary.ts';

/** A report: what it takes in the moment an invocation ends, and what it writes when all have ended. */
export type Reporter = Readonly<{
  name: ReportName;
  add?: (evaluated: EvaluatedInvocation) => void;
  write: () => void | Promise<void>;
}>;

/** What a reporter that must not see anything unmasked takes in. */
type Masked = Pick<EvaluatedInvocation, 'masked' | 'maskedJson'>;

/** What the user wants to see, and where the reports of a step go. */
export type ReportOptions = Readonly<{
  results: StepResults;
  guard: ReportGuard;
  throttle: LogThrottle;
  outcomesFile: OutcomesFile;
  showResponse: boolean;
  /** Whether the log shows a streamed response as it arrives. */
  isShownAlready: boolean;
  writesSummary: boolean;
  outputs: OutputOptions;
  /** Absent where no comment is wanted. */
  comment?: () => Promise<void>;
}>;

function logReporter({ results, throttle, outputs, ...shown }: ReportOptions): Reporter {
  const notes = new FailureNotes();
  let single: MaskedEvaluation | undefined;
  return {
    name: 'log',
    add: ({ masked }: Masked) => {
      if (outputs.total === 1) single = masked;
      else notes.add(masked);
      throttle.end(masked);
    },
    write: () => {
      if (single === undefined) writeEnd(notes, results.counts);
      else writeLog(single, shown);
    },
  };
}

function annotationsReporter({ guard }: ReportOptions): Reporter {
  const list = new AnnotationList();
  return {
    name: 'annotations',
    add: ({ masked }: Masked) => list.add(...annotationsFor(masked)),
    write: () => writeAnnotations(list.allWith(guard.takeProblems())),
  };
}

/** The reporters of a step, in the order in which they write: the comment is last, as only it waits for others. */
export function createReporters(options: ReportOptions): Reporter[] {
  const { results, outcomesFile, writesSummary, comment } = options;
  const outputs = new StepOutputs(options.outputs);
  return [
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
    ...(writesSummary
      ? [{ name: 'summary', write: () => writeSummary(renderJobSummary(results.outcomes)) } as const]
      : []),
    annotationsReporter(options),
    ...(comment === undefined ? [] : [{ name: 'comment', write: comment } as const]),
  ];
}

/** The reports of a step. Each is guarded by itself: one that fails never takes another with it. */
export class Reports {
  readonly #reporters: readonly Reporter[];
  readonly #guard: ReportGuard;

  constructor(reporters: readonly Reporter[], guard: ReportGuard) {
    this.#reporters = reporters;
    this.#guard = guard;
  }

  /** Takes in an invocation the moment it ends. */
  async add(evaluated: EvaluatedInvocation): Promise<void> {
    for (const { name, add } of this.#reporters) await this.#guard.run(name, () => add?.(evaluated));
  }

  /** Writes every report, and says at the end what could not be written since the annotations. */
  async write(): Promise<void> {
    for (const { name, write } of this.#reporters) await this.#guard.run(name, write);
    writeAnnotations(this.#guard.takeProblems());
  }
}
