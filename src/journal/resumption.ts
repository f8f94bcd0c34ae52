import type { toUnresolvedEarlier } from '../lambda/failures.ts';
import type { Invocation, InvocationResult, SentAttempt } from '../lambda/invocation.ts';
import type { InvokeContext, RetryPolicy } from '../lambda/invoker.ts';
import type { EvaluatedInvocation, RecordedInvocation } from '../outcome/evaluate.ts';
import { utf8 } from '../shared/text.ts';
import type { EntryState, Unresolved } from './entry-states.ts';
import type { Journal } from './journal.ts';
import { JournalKeys } from './records.ts';

/** What decides which invocations of a step are left. */
export type ResumeOptions = Readonly<{
  journal: Journal;
  retry: RetryPolicy;
  /** The region that an invocation is sent to. Rejects where none is found. */
  regionOf: (invocation: Invocation) => Promise<string>;
  /** Makes the outcome of an invocation that an earlier run sent. */
  toUnresolved: typeof toUnresolvedEarlier;
  /** Milliseconds since 1970. */
  now: () => number;
}>;

type Succeeded = Readonly<{ invocation: Invocation; state: Extract<EntryState, { kind: 'succeeded' }> }>;

const isRawText = ({ outcome, response }: EvaluatedInvocation['masked']): boolean =>
  'response' in outcome && typeof outcome.response === 'string' && outcome.response === utf8(response);

/** The request of an earlier run: if it ran, the log has it under the id that it was sent with. */
const sentAttempts = ({ sentAt, requestId }: Unresolved): SentAttempt[] =>
  sentAt === undefined
    ? []
    : [{ sentAt, ...(requestId !== undefined && { sentAs: requestId }), mayHaveRun: true }];

/** What is left of a step when its journal has been read, and what is written into the journal from then on. */
export class Resumption {
  readonly #options: ResumeOptions;
  readonly #keys = new Map<number, string>();
  readonly #sent = new Set<number>();
  readonly #succeeded: Succeeded[] = [];
  /** Invocations that an earlier run sent, and that may have run. They are not retried. */
  readonly unknown: InvocationResult[] = [];
  /** Invocations that are still to be sent. */
  readonly remaining: Invocation[] = [];

  private constructor(options: ResumeOptions) {
    this.#options = options;
  }

  /** Looks up all invocations of a step, in their order. */
  static async of(invocations: readonly Invocation[], options: ResumeOptions): Promise<Resumption> {
    const resumption = new Resumption(options);
    const keys = new JournalKeys();
    for (const invocation of invocations) {
      // Without a region nothing is sent, and the invocation fails for it.
      const region = await options.regionOf(invocation).catch(() => undefined);
      if (region === undefined) resumption.remaining.push(invocation);
      else resumption.#place(invocation, { key: keys.next(invocation, region), region });
    }
    return resumption;
  }

  #place(invocation: Invocation, { key, region }: Readonly<{ key: string; region: string }>): void {
    this.#keys.set(invocation.index, key);
    const state = this.#options.journal.stateOf(key);
    // A dry run runs nothing, however often it is sent.
    const maySendAgain = this.#options.retry === 'idempotent' || invocation.invocationType === 'DryRun';
    if (state?.kind === 'succeeded') this.#succeeded.push({ invocation, state });
    else if (state === undefined || maySendAgain) this.remaining.push(invocation);
    else {
      const result = this.#options.toUnresolved({ ...state.request, journalKey: key });
      const startedAt = state.request.sentAt ?? new Date(this.#options.now());
      const timing = { startedAt, elapsedMs: 0, attempts: 0 };
      const sent = sentAttempts(state.request);
      this.unknown.push({ invocation, result, region, sent, ...timing, tailRefused: false, resumed: true });
    }
  }

  /** The invocations that an earlier run recorded as succeeded. */
  async *succeeded(): AsyncGenerator<RecordedInvocation, void> {
    for (const { invocation, state } of this.#succeeded) {
      const { outcome, text } = await this.#options.journal.recall(state);
      yield { invocation, recorded: outcome, isText: text === true };
    }
  }

  /** Records a request before it is sent. */
  readonly writeAhead: NonNullable<InvokeContext['writeAhead']> = async ({ index }, requestId) => {
    const key = this.#keys.get(index);
    if (key === undefined) return;
    this.#sent.add(index);
    const at = new Date(this.#options.now());
    await this.#options.journal.sent({ key, at, ...(requestId !== undefined && { requestId }) });
  };

  /** Records how an invocation ended, where a request of it was recorded. */
  add({ masked, maskedJson }: Pick<EvaluatedInvocation, 'masked' | 'maskedJson'>): void {
    const { outcome } = masked;
    const key = this.#keys.get(outcome.index);
    if (key === undefined || !this.#sent.has(outcome.index)) return;
    const ended = new Date(this.#options.now()).toISOString();
    this.#options.journal.ended({ key, ended, ...(isRawText(masked) && { text: true }) }, maskedJson);
  }

  /** Ends the journal. Throws where an outcome was not written. */
  write(): Promise<void> {
    return this.#options.journal.close();
  }
}
