import { messageOf } from '../shared/errors.ts';
import { type Annotation, stepAnnotation } from './annotations.ts';

/** A report of a step. Later steps rely on a required report, so the step fails where it is not written. */
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

/** The reports of a step; `internal` is everything that should never fail. */
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

/** Guards each report by itself: one that can't be written becomes an annotation, and stops nothing else. */
export class ReportGuard {
  readonly #problems: Annotation[] = [];
  /** Annotations that were taken or wait for it: what fails for each of many invocations is reported once. */
  readonly #known = new Set<string>();
  #failsStep = false;

  /** Whether something is missing that later steps rely on. */
  get failsStep(): boolean {
    return this.#failsStep;
  }

  /** Does a part of a report; undefined where that failed. */
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

  /** The annotations of what could not be written, each once. */
  takeProblems(): readonly Annotation[] {
    return this.#problems.splice(0);
  }
}
