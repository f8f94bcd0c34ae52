import type { Receiver } from './courier.ts';
import type { Delivery } from './lambda/invocation.ts';
import { judge, type Rules } from './outcome/judge.ts';
import { maskJudgement } from './outcome/masks.ts';
import type { Judgement } from './outcome/outcome.ts';
import type { SecretTexts } from './outcome/secret-texts.ts';
import { judgeUnevaluated } from './outcome/unevaluated.ts';
import type { Ledger } from './report/ledger.ts';
import { isFunctionError, noteOf } from './report/log.ts';
import type { LogThrottle } from './report/log-throttle.ts';
import { registerSecrets } from './report/masks.ts';
import type { ReportWriter } from './report/report-writer.ts';
import type { ResultsFile } from './report/results-file.ts';
import type { KeptResponse } from './report/streamed-response.ts';

/** Where outcomes are recorded, and by which rules they are evaluated. */
export type Records = Readonly<{
  rules: Rules;
  ledger: Ledger;
  resultsFile: ResultsFile;
  receiver: Receiver | undefined;
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
  async record(delivery: Delivery): Promise<void> {
    const { rules } = this.#records;
    try {
      await this.#keep(judge(delivery, rules));
    } catch (error) {
      await this.#keep(judgeUnevaluated(delivery, error, rules));
    }
  }

  async #keep(judged: Judgement): Promise<void> {
    const { ledger, resultsFile, throttle, secrets } = this.#records;
    const responseFile = await this.#endOfStream(judged);
    const judgement = { ...judged, ...(responseFile && { responseFile }) };
    registerSecrets(judgement.secrets, secrets);
    const shown = maskJudgement(judgement, secrets);
    const shownJson = JSON.stringify(shown.outcome);
    ledger.add({ judgement, shown, shownJson }, noteOf);
    resultsFile.append(shownJson);
    throttle.end(shown);
  }

  /** Ends the file of the one response that streams: under its own name where it is whole and no function error. */
  #endOfStream({ outcome }: Judgement): Promise<KeptResponse | undefined> | undefined {
    const { receiver, writer } = this.#records;
    if (receiver === undefined || outcome.invocation_type !== 'RequestResponse') return undefined;
    const isWhole = 'status_code' in outcome && !isFunctionError(outcome);
    this.#responseFile ??= writer.write('response', () => receiver.end({ isWhole }));
    return this.#responseFile;
  }
}
