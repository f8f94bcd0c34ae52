import { info, warning } from '@actions/core';
import { writeForeign } from './log.ts';

const seconds = (ms: number): string => `${(ms / 1000).toFixed(1)} s`;

/** A wait before an invocation is sent again. */
export type Pause = Readonly<{
  label: string;
  error: string;
  /** Lambda's word for why it was throttled. */
  reason?: string | undefined;
  ran: 'never' | 'perhaps';
  waitMs: number;
  leftMs: number;
}>;

/** One line before an invocation is sent again: why, when, and for how long yet. */
export function waitLine({ label, error, reason, ran, waitMs, leftMs }: Pause): string {
  const why = reason === undefined ? error : `${error}, ${reason}`;
  const state = ran === 'never' ? 'it did not run' : 'it may have run';
  return `Lambda function ${label}: ${why}; ${state}. Sending it again in ${seconds(waitMs)} (${seconds(leftMs)} left).`;
}

/** One line for a state that a function has come to on its way to being ready. */
export const stateLine = ({ label, state }: { label: string; state: string }): string =>
  `Lambda function ${label} is ${state}`;

/** Something that happened in a durable execution; the name is foreign text. */
export type Happening = Readonly<{
  label: string;
  kind: 'Step' | 'Wait' | 'Callback' | 'ChainedInvoke' | 'Context';
  state: 'Started' | 'Succeeded' | 'Failed' | 'TimedOut' | 'Stopped' | 'Cancelled';
  name?: string | undefined;
  seconds?: number | undefined;
}>;

const KINDS: Readonly<Record<Happening['kind'], string>> = {
  Step: 'step',
  Wait: 'wait',
  Callback: 'callback',
  ChainedInvoke: 'invocation',
  Context: 'context',
};
const STATES: Readonly<Record<Happening['state'], string>> = {
  Started: 'started',
  Succeeded: 'succeeded',
  Failed: 'failed',
  TimedOut: 'timed out',
  Stopped: 'was stopped',
  Cancelled: 'was cancelled',
};
const SHOWN_CHARACTERS = 200;

/** A name on one line, cut. */
function onOneLine(name: string): string {
  const line = name.replace(/\s+/g, ' ');
  return line.length > SHOWN_CHARACTERS ? `${line.slice(0, SHOWN_CHARACTERS).toWellFormed()}…` : line;
}

/** One line of a durable execution's history, to be fenced. */
export function historyLine({ label, kind, state, name, seconds }: Happening): string {
  const named = name === undefined ? '' : ` ${onOneLine(name)}`;
  const period =
    seconds === undefined ? '' : state === 'Failed' ? `; again in ${seconds} s` : ` (${seconds} s)`;
  return `Lambda function ${label}: ${KINDS[kind]}${named} ${STATES[state]}${period}`;
}

/** Writes that an invocation waits before it is sent again. */
export const writeWait = (pause: Pause): void => info(waitLine(pause));

/** Writes the state that a function has come to. */
export const writeState = (found: { label: string; state: string }): void => info(stateLine(found));

/** Writes what happened in a durable execution. */
export const writeHappening = (happening: Happening): void => writeForeign(historyLine(happening));

/** Warns that the steps of an execution can't be shown. */
export const warnOfHiddenHistory = ({ label, error }: { label: string; error: string }): void =>
  warning(
    `The history of the durable execution of ${label} can't be read (${error}), so its steps are not shown. It takes lambda:GetDurableExecution and lambda:GetDurableExecutionHistory.`,
  );

/** Warns that there is no execution to wait for. */
export const warnOfNoExecution = ({ label }: { label: string }): void =>
  warning(
    `wait_for_durable_execution found nothing to wait for: Lambda started no durable execution of ${label}. Is the function durable?`,
  );
