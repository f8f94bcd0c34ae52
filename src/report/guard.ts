import { messageOf } from '../shared/values.ts';

/** The reports of a step; `internal` is everything that should never fail. */
export type ReportName =
  | 'log'
  | 'outcomes_file'
  | 'log_file'
  | 'response'
  | 'outputs'
  | 'summary'
  | 'journal'
  | 'annotations'
  | 'comment'
  | 'internal';

/** A report that could not be written, or not all of it, and why. */
export type ReportProblem = Readonly<{ report: ReportName; error: unknown }>;

/** Guards each report by itself: one that can't be written is a problem to report, and stops nothing else. */
export class ReportGuard {
  readonly #problems: ReportProblem[] = [];
  /** Problems that were taken or wait for it: what fails for each of many invocations is reported once. */
  readonly #known = new Set<string>();
  readonly #failed = new Set<ReportName>();

  /** The reports that could not be written, each once. */
  get failed(): readonly ReportName[] {
    return [...this.#failed];
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
    this.#failed.add(report);
    const key = `${report}: ${messageOf(error)}`;
    if (this.#known.has(key)) return;
    this.#known.add(key);
    this.#problems.push({ report, error });
  }

  /** What could not be written, each once. */
  takeProblems(): readonly ReportProblem[] {
    return this.#problems.splice(0);
  }
}
