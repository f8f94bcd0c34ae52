import { messageOf } from '../shared/values.ts';

/** The names of the reports; `internal` is for code that should never fail. */
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

/** A report that could not be written completely, and the error. */
export type ReportProblem = Readonly<{ report: ReportName; error: unknown }>;

/** Guards each report separately. A report that can't be written becomes a problem, and the others continue. */
export class ReportGuard {
  readonly #problems: ReportProblem[] = [];
  /** Problems that were taken or are waiting, so that an error that many invocations have is reported once. */
  readonly #known = new Set<string>();
  readonly #failed = new Set<ReportName>();

  /** The reports that could not be written completely, without duplicates. */
  get failed(): readonly ReportName[] {
    return [...this.#failed];
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
    this.#failed.add(report);
    const key = `${report}: ${messageOf(error)}`;
    if (this.#known.has(key)) return;
    this.#known.add(key);
    this.#problems.push({ report, error });
  }

  /** The problems since the last call, without duplicates. */
  takeProblems(): readonly ReportProblem[] {
    return this.#problems.splice(0);
  }
}
