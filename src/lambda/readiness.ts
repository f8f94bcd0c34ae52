import type { LambdaClient } from '@aws-sdk/client-lambda';
import { type Configuration, readConfiguration } from './configuration.ts';
import { CANCELLED, toUnasked, toUnsent } from './failures.ts';
import type { Failure, Invocation } from './invocation.ts';
import { FIRST_POLL_MS, nextPoll, pause } from './polling.ts';
import type { Bounds } from './request.ts';

/** A state that a function has come to on its way to being ready. */
export type StateChange = Readonly<{
  invocation: Invocation;
  /** In Lambda's words: the state, then what is not done yet. Never foreign text. */
  state: string;
  isReady: boolean;
}>;

/** What a configuration means for an invocation: to wait, to send it, or to give up, and why. */
type Standing = Readonly<
  { state: string } & (
    | { next: 'wait' | 'send'; isReady: boolean }
    | { next: 'give up'; isReady: false; why: string }
  )
>;

// Codes and states are words; a reason is a sentence that anybody could have put there.
const word = (text: string | undefined): string => (text !== undefined && /^\w+$/.test(text) ? text : '');
const inBrackets = (text: string): string => (text === '' ? '' : ` (${text})`);

type Row = Readonly<{
  when: (configuration: Configuration) => boolean;
  standing: (configuration: Configuration) => Standing;
}>;

/** By lambda states (source: AWS Lambda Developer Guide, "Lambda function states"): the first row that fits counts. */
const STANDINGS: readonly Row[] = [
  {
    when: ({ state }) => state === 'Failed',
    standing: ({ stateReason, stateReasonCode }) => ({
      state: `Failed${inBrackets(word(stateReasonCode))}`,
      next: 'give up',
      isReady: false,
      why: `the function is in state Failed: ${stateReason ?? 'Lambda gives no reason'}`,
    }),
  },
  {
    when: ({ lastUpdateStatus }) => lastUpdateStatus === 'Failed',
    standing: ({ state, lastUpdateReason, lastUpdateReasonCode }) => ({
      state: `${word(state)}, and its last update failed${inBrackets(word(lastUpdateReasonCode))}`,
      next: 'give up',
      isReady: false,
      why: `the function's last update failed, so the old code would answer: ${lastUpdateReason ?? 'Lambda gives no reason'}`,
    }),
  },
  {
    // Only an invocation wakes it.
    when: ({ state }) => state === 'Inactive',
    standing: ({ stateReasonCode }) => ({
      state: `Inactive${inBrackets(word(stateReasonCode))}; the invocation will wake it`,
      next: 'send',
      isReady: false,
    }),
  },
  {
    when: ({ state }) => state !== 'Active',
    standing: ({ state, stateReasonCode }) => ({
      state: `${word(state)}${inBrackets(word(stateReasonCode))}`,
      next: 'wait',
      isReady: false,
    }),
  },
  {
    when: ({ lastUpdateStatus }) => lastUpdateStatus !== 'Successful',
    standing: () => ({
      state: 'Active, and an update is in progress: until it is done the old code answers',
      next: 'wait',
      isReady: false,
    }),
  },
  {
    when: ({ awaitsSnapshot }) => awaitsSnapshot,
    standing: () => ({ state: 'Active, and its snapshot is not ready', next: 'wait', isReady: false }),
  },
];
const READY: Standing = { state: 'ready', next: 'send', isReady: true };

const standingOf = (configuration: Configuration): Standing =>
  STANDINGS.find(({ when }) => when(configuration))?.standing(configuration) ?? READY;

/** What a wait needs: the client of the function's region, and whom to tell of changes. */
export type Waiting = Bounds &
  Readonly<{ client: LambdaClient; onStateChange: (change: StateChange) => void }>;

// Lambda throttles such questions early, for all of an account and region together.
const mayAskAgain = ({ proof, mayClear }: Failure): boolean => mayClear || proof === 'may_have_run';

function toStoppedWait({ cancel }: Waiting, state: string): Failure {
  if (cancel.aborted) return toUnsent(CANCELLED);
  const message = `timeout_seconds was over, and the function was not ready${inBrackets(state)}`;
  return toUnsent({ name: 'NotReady', message });
}

async function waitFor(invocation: Invocation, waiting: Waiting): Promise<Configuration | Failure> {
  const { client, stop, timing, onStateChange } = waiting;
  let last = '';
  for (let waitMs = FIRST_POLL_MS; ; waitMs = nextPoll(waitMs)) {
    const found = await readConfiguration(client, invocation, waiting);
    if (stop.aborted) return toStoppedWait(waiting, last);
    if (found.kind === 'configuration') {
      const standing = standingOf(found);
      if (standing.state !== last) {
        onStateChange({ invocation, state: standing.state, isReady: standing.isReady });
      }
      last = standing.state;
      if (standing.next === 'send') return found;
      if (standing.next === 'give up') return toUnsent({ name: 'FunctionFailed', message: standing.why });
    } else if (!mayAskAgain(found)) return toUnasked(found);
    await pause(waitMs, timing, stop);
    if (stop.aborted) return toStoppedWait(waiting, last);
  }
}

/** One wait for a function, whoever waits for it. */
type Shared = { readonly result: Promise<Configuration | Failure>; isOver: boolean };

/**
 * Waits until functions may be invoked, once for each function and qualifier. The SDK's waiters do not fit:
 * they tell of no change, and where asking is not allowed they ask on until the time is over.
 */
export class Readiness {
  readonly #waits = new Map<string, Shared>();

  /** Waits until the function is ready, or was found to be. A Failure says why it never will be. */
  wait(invocation: Invocation, waiting: Waiting): Promise<Configuration | Failure> {
    return (this.#waits.get(keyOf(invocation)) ?? this.#begin(invocation, waiting)).result;
  }

  /** The same, when an invocation was refused for the state since. */
  waitAgain(invocation: Invocation, waiting: Waiting): Promise<Configuration | Failure> {
    const known = this.#waits.get(keyOf(invocation));
    return (known === undefined || known.isOver ? this.#begin(invocation, waiting) : known).result;
  }

  #begin(invocation: Invocation, waiting: Waiting): Shared {
    const result = waitFor(invocation, waiting);
    const shared: Shared = { result, isOver: false };
    this.#waits.set(keyOf(invocation), shared);
    void result.then(() => {
      shared.isOver = true;
    });
    return shared;
  }
}

const keyOf = ({ reference, qualifier = reference.qualifier, region }: Invocation): string =>
  JSON.stringify([region, reference.accountId, reference.name, qualifier]);
