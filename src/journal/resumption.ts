import type { toUnresolvedEarlier } from '../lambda/failures.ts';
import type { Invocation, InvocationResult, Invocations, SentAttempt } from '../lambda/invocation.ts';
import type { InvokeContext, RetryPolicy } from '../lambda/invoker.ts';
import type { EvaluatedInvocation, RecordedInvocation } from '../outcome/evaluate.ts';
import type { Outcome } from '../outcome/outcome.ts';
import { utf8 } from '../shared/text.ts';
import type { EntryState, UnresolvedRequest } from './entry-states.ts';
import type { Journal } from './journal.ts';
import { type Accepted, type EndedRecord, JournalKeys } from './records.ts';

/** What determines the invocations that still have to be sent. */
export type ResumeOptions = Readonly<{
  journal: Journal;
  retry: RetryPolicy;
  /** Whether this run waits for the end of what Lambda accepts. */
  waitsFor: Readonly<Record<Accepted, boolean>>;
  /** The region that an invocation is sent to. Rejects if none is found. */
  regionOf: (invocation: Invocation) => Promise<string>;
  /** Makes the outcome of an invocation that an earlier run sent. */
  toUnresolved: typeof toUnresolvedEarlier;
  /** Milliseconds since 1970. */
  now: () => number;
}>;

type KnownState = Exclude<EntryState, { kind: 'accepted' }>;
type Succeeded = Readonly<{ invocation: Invocation; state: Extract<KnownState, { kind: 'succeeded' }> }>;

/** What Lambda accepted without reporting how it ended; undefined if there is a response. */
function acceptedIn({ invocation_type: type, ...outcome }: Outcome): Accepted | undefined {
  if (type !== 'Event') return undefined;
  return 'durable_execution_arn' in outcome ? 'execution' : 'event';
}

/**
 * Facts about the response that the outcome lacks: that it is not JSON and, with `keepsRaw`, its white space and
 * digits.
 */
function receivedFields(
  { outcome, response }: EvaluatedInvocation['masked'],
  { keepsRaw }: Readonly<{ keepsRaw: boolean }>,
): Pick<EndedRecord, 'text' | 'raw'> {
  const parsed = 'response' in outcome ? outcome.response : undefined;
  if (typeof parsed === 'string' && parsed === utf8(response)) return { text: true };
  if (!keepsRaw || parsed === undefined) return {};
  const raw = utf8(response);
  return raw === JSON.stringify(parsed) ? {} : { raw };
}

/** The requests of earlier runs. If a request ran, the log has it under the ID that it was sent with. */
const sentAttempts = (requests: readonly UnresolvedRequest[]): SentAttempt[] =>
  requests.flatMap(({ sentAt, requestId }) =>
    sentAt === undefined
      ? []
      : [{ sentAt, ...(requestId !== undefined && { sentAs: requestId }), mayHaveRun: true }],
  );

/**
 * Whether an invocation is not recorded: a dry run runs nothing, and permissions may have changed since an earlier one.
 */
const isUnrecorded = ({ invocationType }: Invocation): boolean => invocationType === 'DryRun';

/** Decides with a journal which invocations of a step to send, and records them in it. */
export class Resumption {
  readonly #options: ResumeOptions;
  readonly #keys = new Map<number, string>();
  readonly #sent = new Set<number>();
  readonly #succeeded: Succeeded[] = [];
  readonly #invocations: Invocations;
  /** Indexes of the invocations that are not sent. */
  readonly #settled = new Set<number>();
  /** Whether the step has one invocation, whose response it returns as it was received. */
  readonly #isSingle: boolean;
  /** Invocations that an earlier run sent and that may have run. They are not retried. */
  readonly unknown: InvocationResult[] = [];

  private constructor(options: ResumeOptions, invocations: Invocations) {
    this.#options = options;
    this.#invocations = invocations;
    this.#isSingle = invocations.length === 1;
  }

  /** Looks up all invocations of a step, in their order. */
  static async of(invocations: Invocations, options: ResumeOptions): Promise<Resumption> {
    const resumption = new Resumption(options, invocations);
    const keys = new JournalKeys();
    for (const invocation of invocations) {
      if (isUnrecorded(invocation)) continue;
      // Without a region, nothing is sent, and the invocation fails with that error.
      const region = await options.regionOf(invocation).catch(() => undefined);
      if (region !== undefined) {
        resumption.#place(invocation, { key: keys.next(invocation, region), region });
      }
    }
    return resumption;
  }

  #place(invocation: Invocation, { key, region }: Readonly<{ key: string; region: string }>): void {
    this.#keys.set(invocation.index, key);
    const state = this.#stateOf(key);
    if (state === undefined || (state.kind !== 'succeeded' && this.#options.retry === 'idempotent')) return;
    this.#settled.add(invocation.index);
    if (state.kind === 'succeeded') this.#succeeded.push({ invocation, state });
    else {
      const last = state.requests.at(-1) ?? { sentAt: undefined };
      const result = this.#options.toUnresolved({ ...last, journalKey: key });
      const startedAt = last.sentAt ?? new Date(this.#options.now());
      const timing = { startedAt, elapsedMs: 0, attempts: 0 };
      const sent = sentAttempts(state.requests);
      this.unknown.push({ invocation, result, region, sent, ...timing, tailRefused: false, resumed: true });
    }
  }

  /** Invocations that are still to be sent. */
  *remaining(): Generator<Invocation, void> {
    for (const invocation of this.#invocations) {
      if (!this.#settled.has(invocation.index)) yield invocation;
    }
  }

  /** What the journal says about a key, depending on whether this run waits for the end of an accepted event. */
  #stateOf(key: string): KnownState | undefined {
    const { journal, waitsFor } = this.#options;
    const state = journal.stateOf(key);
    if (state?.kind !== 'accepted') return state;
    const { what, place, requests } = state;
    return waitsFor[what] ? { kind: 'unknown', requests } : { kind: 'succeeded', place };
  }

  /** The invocations that an earlier run recorded as succeeded. */
  async *succeeded(): AsyncGenerator<RecordedInvocation, void> {
    for (const { invocation, state } of this.#succeeded) {
      const { outcome, text, raw } = await this.#options.journal.recall(state);
      yield { invocation, recorded: outcome, isText: text === true, ...(raw !== undefined && { raw }) };
    }
  }

  /** Records a request before it is sent. */
  readonly writeAhead: NonNullable<InvokeContext['writeAhead']> = async (invocation, requestId) => {
    if (isUnrecorded(invocation)) return;
    const { index } = invocation;
    const key = this.#keys.get(index);
    if (key === undefined) throw new Error('the region was not known when the journal was read');
    this.#sent.add(index);
    const at = new Date(this.#options.now());
    await this.#options.journal.sent({ key, at, ...(requestId !== undefined && { requestId }) });
  };

  /** Records how an invocation ended, if one of its requests was recorded. */
  add({ masked, maskedJson }: Pick<EvaluatedInvocation, 'masked' | 'maskedJson'>): void {
    const { outcome } = masked;
    const key = this.#keys.get(outcome.index);
    if (key === undefined || !this.#sent.has(outcome.index)) return;
    const ended = new Date(this.#options.now()).toISOString();
    const accepted = acceptedIn(outcome);
    const isWaitedFor = accepted === undefined || this.#options.waitsFor[accepted];
    const record = {
      ...{ key, ended },
      ...receivedFields(masked, { keepsRaw: this.#isSingle }),
      ...(!isWaitedFor && { accepted }),
    };
    this.#options.journal.ended(record, maskedJson);
  }

  /** Closes the journal. Throws if an outcome was not written. */
  write(): Promise<void> {
    return this.#options.journal.close();
  }
}
