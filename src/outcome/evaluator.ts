import type { InvocationResult, InvokeFailure } from '../lambda/invocation.ts';
import { messageOf } from '../shared/errors.ts';
import { isFunctionResponse, outcomeOf } from './document.ts';
import { evaluate, type Rules } from './evaluate.ts';
import { type MaskedEvaluation, maskEvaluation, NO_SECRETS } from './masks.ts';
import { type Evaluation, isFunctionError, type Secrets } from './outcome.ts';
import type { SecretTexts } from './secret-texts.ts';

const RAN = { evidence: 'ran', ran: 'The function ran, and its response was received.' } as const;
/** What Lambda's response alone proves. */
const ACCEPTED = {
  RequestResponse: RAN,
  Event: {
    evidence: 'may_have_run',
    ran: 'Lambda accepted the event. It is not known whether the function ran.',
  },
  DryRun: { evidence: 'did_not_run', ran: 'The function did not run.' },
} as const;

/** What is known of an invocation that can't be evaluated, as a failure, and whether it ran where that is known. */
function unevaluatedFailure(
  { result, invocation }: InvocationResult,
  why: string,
): Readonly<{ failure: InvokeFailure; ran?: string }> {
  const description = {
    kind: 'failure',
    name: 'EvaluationFailed',
    message: `The outcome could not be evaluated${why}`,
    mayClear: false,
  } as const;
  if (result.kind === 'failure') return { failure: { ...result, ...description } };
  const { evidence, ran } = isFunctionResponse(result, invocation)
    ? RAN
    : ACCEPTED[invocation.invocationType];
  const { statusCode, requestId, durableExecutionArn } = result;
  const failure = {
    ...description,
    evidence,
    throughProxy: false,
    statusCode,
    ...(requestId !== undefined && { requestId }),
    ...(durableExecutionArn !== undefined && { durableExecutionArn }),
  };
  return { failure, ran };
}

/** Evaluates an invocation that can't be evaluated: its outcome is unknown, the step fails, and the response is kept. */
export function evaluateAsUnknown(ended: InvocationResult, error: unknown, rules: Rules): Evaluation {
  // The message may quote the response, of which no mask has hidden anything yet.
  const why = rules.expressions.mask.length === 0 ? `: ${messageOf(error)}` : '';
  const { failure, ran } = unevaluatedFailure(ended, why);
  const context = { job: rules.job, ...(ran !== undefined && { ran }) };
  const response = ended.result.kind === 'failure' ? new Uint8Array() : ended.result.payload;
  return {
    label: ended.invocation.functionName,
    outcome: outcomeOf({ ...ended, result: failure }, undefined, context),
    response,
    responseBytes: ended.result.streamedBytes ?? response.length,
    logIsCut: false,
    tailRefused: ended.tailRefused && ended.invocation.keepsLog,
    failsStep: true,
    unmet: [],
    secrets: NO_SECRETS,
  };
}

/** An invocation that was evaluated: as it is, as it may be shown, and the outcome of that as JSON. */
export type EvaluatedInvocation = Readonly<{
  evaluation: Evaluation;
  masked: MaskedEvaluation;
  maskedJson: string;
}>;

/** What an evaluator works with. */
export type EvaluatorOptions = Readonly<{
  rules: Rules;
  /** All that is hidden: credentials, and what the masks of earlier invocations yielded. */
  secrets: SecretTexts;
  /** Adds to `secrets`, before anything of the invocation is shown. */
  register: (secrets: Secrets) => void;
  /** Ends the file of a streamed response, under its own name where the response is whole. */
  endStream?: (options: { isWhole: boolean }) => Promise<Evaluation['responseFile']>;
}>;

/** Evaluates each invocation the moment it ends. One that can't be evaluated, masked or written is unknown. */
export class Evaluator {
  readonly #options: EvaluatorOptions;

  constructor(options: EvaluatorOptions) {
    this.#options = options;
  }

  async evaluate(ended: InvocationResult): Promise<EvaluatedInvocation> {
    const { rules } = this.#options;
    try {
      return await this.#mask(evaluate(ended, rules), ended);
    } catch (error) {
      return this.#mask(evaluateAsUnknown(ended, error, rules), ended);
    }
  }

  async #mask(evaluated: Evaluation, ended: InvocationResult): Promise<EvaluatedInvocation> {
    const { secrets, register } = this.#options;
    const responseFile = await this.#endStream(evaluated, ended);
    const evaluation = { ...evaluated, ...(responseFile && { responseFile }) };
    register(evaluation.secrets);
    const masked = maskEvaluation(evaluation, secrets);
    return { evaluation, masked, maskedJson: JSON.stringify(masked.outcome) };
  }

  /** Of the invocations of a step that streams, one has a response. */
  async #endStream(
    { outcome }: Evaluation,
    { result, invocation }: InvocationResult,
  ): Promise<Evaluation['responseFile']> {
    if (invocation.invocationType !== 'RequestResponse') return undefined;
    const isWhole =
      result.kind !== 'failure' && result.functionError === undefined && !isFunctionError(outcome);
    return this.#options.endStream?.({ isWhole });
  }
}
