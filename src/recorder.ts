import type { InvocationResult } from './lambda/invocation.ts';
import { evaluate, type Rules } from './outcome/evaluate.ts';
import { maskEvaluation } from './outcome/masks.ts';
import type { Evaluation } from './outcome/outcome.ts';
import type { SecretTexts } from './outcome/secret-texts.ts';
import { evaluateAsUnknown } from './outcome/unevaluated.ts';
import { isFunctionError, noteOf } from './report/log.ts';
import type { LogThrottle } from './report/log-throttle.ts';
import { registerSecrets } from './report/masks.ts';
import type { OutcomesFile } from './report/outcomes-file.ts';
import type { ReportWriter } from './report/report-writer.ts';
import type { StepResults } from './report/step-results.ts';
import type { KeptResponse } from './report/streamed-response.ts';
import type { ResponseSink } from './wiring.ts';

/** Where outcomes are recorded, and by which rules they are evaluated. */
export type Records = Readonly<{
  rules: Rules;
  results: StepResults;
  outcomesFile: OutcomesFile;
  receiver: ResponseSink | undefined;
  secrets: SecretTexts;
  writer: ReportWriter;
  throttle: LogThrottle;
}>;

/** Evaluates and records each invocation the moment it ends. */
export class Recorder {
  readonly #records: Records;
  #responseFile: Promise<KeptResponse | undefined> | undefined;

  constructor(records: Records) {
    this.#records = records;
  }

  /** Records how an invocation ended. One that can't be evaluated or told is recorded as unknown. */
  async record(delivery: InvocationResult): Promise<void> {
    const { rules } = this.#records;
    try {
      await this.#keep(evaluate(delivery, rules));
    } catch (error) {
      await this.#keep(evaluateAsUnknown(delivery, error, rules));
    }
  }

  async #keep(judged: Evaluation): Promise<void> {
    const { results, outcomesFile, throttle, secrets } = this.#records;
    const responseFile = await this.#endOfStream(judged);
    const evaluation = { ...judged, ...(responseFile && { responseFile }) };
    registerSecrets(evaluation.secrets, secrets);
    const shown = maskEvaluation(evaluation, secrets);
    const shownJson = JSON.stringify(shown.outcome);
    results.add({ evaluation, shown, shownJson }, noteOf);
    outcomesFile.append(shownJson);
    throttle.end(shown);
  }

  /** Ends the file of the one response that streams: under its own name where it is whole and no function error. */
  #endOfStream({ outcome }: Evaluation): Promise<KeptResponse | undefined> | undefined {
    const { receiver, writer } = this.#records;
    if (receiver === undefined || outcome.invocation_type !== 'RequestResponse') return undefined;
    const isWhole = 'status_code' in outcome && !isFunctionError(outcome);
    this.#responseFile ??= writer.write('response', () => receiver.end({ isWhole }));
    return this.#responseFile;
  }
}
