import { type Event, GetDurableExecutionHistoryCommand } from '@aws-sdk/client-lambda';
import type { LambdaApi } from './api.ts';
import type { Bounds } from './bounds.ts';
import type { Invocation, InvokeFailure } from './invocation.ts';
import { mayAskAgain } from './polling.ts';

/** What a durable execution consists of, as its history names it. */
export type OperationKind = 'Step' | 'Wait' | 'Callback' | 'ChainedInvoke' | 'Context';
/** What can become of an operation. */
export type OperationState = 'Started' | 'Succeeded' | 'Failed' | 'TimedOut' | 'Stopped' | 'Cancelled';

/** Something that happened in a durable execution. The name is the function's: foreign text. */
export type ExecutionEvent = Readonly<{
  invocation: Invocation;
  kind: OperationKind;
  state: OperationState;
  name?: string;
  /** How long a wait takes, or how long it is until a step is retried. */
  seconds?: number;
}>;

/** What reading a history needs: the API of the execution's region, and who listens to its events. */
export type HistoryReading = Bounds &
  Readonly<{
    api: LambdaApi;
    onExecutionEvent: (event: ExecutionEvent) => void;
    /** Called once, where the history can't be read; the execution is followed all the same. */
    onHiddenHistory: (invocation: Invocation, failure: InvokeFailure) => void;
  }>;

/** The history was read to its present end. */
export type HistoryRead = Readonly<{ kind: 'history'; hasNewEvents: boolean }>;

const EVENTS_PER_PAGE = 1000;

const KINDS: readonly OperationKind[] = ['Step', 'Wait', 'Callback', 'ChainedInvoke', 'Context'];
const STATES: readonly OperationState[] = [
  'Started',
  'Succeeded',
  'Failed',
  'TimedOut',
  'Stopped',
  'Cancelled',
];
const EVENT_TYPE = new RegExp(`^(${KINDS.join('|')})(${STATES.join('|')})$`);

/** The event of an operation; undefined where it is about the execution itself or its invocations. */
function readEvent(event: Event, invocation: Invocation): ExecutionEvent | undefined {
  const [, kindText, stateText] = EVENT_TYPE.exec(event.EventType ?? '') ?? [];
  const kind = KINDS.find((known) => known === kindText);
  const state = STATES.find((known) => known === stateText);
  if (kind === undefined || state === undefined) return undefined;
  const seconds =
    event.WaitStartedDetails?.Duration ?? event.StepFailedDetails?.RetryDetails?.NextAttemptDelaySeconds;
  return {
    invocation,
    kind,
    state,
    ...(event.Name !== undefined && { name: event.Name }),
    ...(seconds !== undefined && { seconds }),
  };
}

/** Reads a history on from where it was read to, so that each event is reported once, even after failed requests. */
export class ExecutionHistory {
  readonly #arn: string;
  readonly #invocation: Invocation;
  #lastId = 0;
  #marker: string | undefined;
  #isHidden = false;

  constructor(arn: string, invocation: Invocation) {
    this.#arn = arn;
    this.#invocation = invocation;
  }

  /** Reports the new events. A failure is one that may clear: the next call continues from there. */
  async read(reading: HistoryReading): Promise<HistoryRead | InvokeFailure> {
    const before = this.#lastId;
    while (!this.#isHidden) {
      const page = await this.#readPage(reading);
      if (page.kind === 'failure') {
        if (reading.stop.aborted || mayAskAgain(page)) return page;
        this.hide(page, reading);
        break;
      }
      for (const event of page.events) this.#report(event, reading);
      if (page.next === undefined) break;
      this.#marker = page.next;
    }
    return { kind: 'history', hasNewEvents: this.#lastId > before };
  }

  /** Stops reading the history, and says why, once. */
  hide(failure: InvokeFailure, { onHiddenHistory }: HistoryReading): void {
    if (!this.#isHidden) onHiddenHistory(this.#invocation, failure);
    this.#isHidden = true;
  }

  #readPage({ api, ...bounds }: HistoryReading) {
    const command = new GetDurableExecutionHistoryCommand({
      DurableExecutionArn: this.#arn,
      IncludeExecutionData: false,
      MaxItems: EVENTS_PER_PAGE,
      ...(this.#marker !== undefined && { Marker: this.#marker }),
    });
    return api.send(command, {
      bounds,
      read: ({ Events: events = [], NextMarker: next }) => ({ kind: 'page', events, next }) as const,
    });
  }

  #report(event: Event, { onExecutionEvent }: HistoryReading): void {
    const { EventId: id = 0 } = event;
    if (id <= this.#lastId) return;
    this.#lastId = id;
    const reported = readEvent(event, this.#invocation);
    if (reported !== undefined) onExecutionEvent(reported);
  }
}
