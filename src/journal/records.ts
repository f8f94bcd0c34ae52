import { Buffer } from 'node:buffer';
import { hash } from 'node:crypto';
import type { Invocation } from '../lambda/invocation.ts';
import type { Outcome } from '../outcome/outcome.ts';
import { type Fields, fieldsOf } from '../shared/values.ts';

/** A request that is about to be sent. `run` distinguishes the runs of a step. */
export type SentRecord = Readonly<{ key: string; run: string; sent: string; request_id?: string }>;

/** What Lambda accepted without saying how it ended: an event, or the start of a durable execution. */
export type Accepted = 'event' | 'execution';

/**
 * How an invocation ended. `text`: the response is not JSON. `raw`: the response as received, only for a step with one
 * invocation, which returns it. `accepted`: the run did not wait for the end of what Lambda accepted. Secrets are masked.
 */
export type EndedRecord = Readonly<{
  key: string;
  run: string;
  ended: string;
  text?: true;
  raw?: string;
  accepted?: Accepted;
  outcome: Outcome;
}>;

/** A line of a journal after the first. Times are ISO 8601. */
export type JournalRecord = SentRecord | EndedRecord;

const FAMILY = 'aws-lambda-invoke/';
const FORMAT = `${FAMILY}1`;
const SUM_LENGTH = 16;

const sumOf = (json: string | Uint8Array): string => hash('sha256', json).slice(0, SUM_LENGTH);

/** Adds a checksum to a line, so that an edited or damaged line is recognized. */
function sealed(json: string): string {
  return `${json.slice(0, -1)},"sum":"${sumOf(json)}"}\n`;
}

/** The first line of every journal, including its line feed. */
export const HEADER = sealed(JSON.stringify({ journal: FORMAT }));

/** The line of a request, including its line feed. The key is first, so that a line that is cut still shows it. */
export const sentLine = (record: SentRecord): string => sealed(JSON.stringify(record));

/** The line of an outcome, which is given as JSON. */
export const endedLine = (record: Omit<EndedRecord, 'outcome'>, outcome: string): string =>
  sealed(`${JSON.stringify(record).slice(0, -1)},"outcome":${outcome}}`);

// `,"sum":"` and `"}` around the checksum.
const SEAL_LENGTH = 8 + SUM_LENGTH + 2;

/** The fields of a line without its line feed; undefined if its checksum does not match. */
function unsealed(line: Buffer): Fields | undefined {
  const end = line.length - SEAL_LENGTH;
  const seal = /^,"sum":"([0-9a-f]{16})"\}$/.exec(line.toString('latin1', Math.max(0, end)));
  if (end < 1 || seal === null) return undefined;
  const json = Buffer.concat([line.subarray(0, end), Buffer.from('}')]);
  return seal[1] === sumOf(json) ? fieldsOf(JSON.parse(json.toString())) : undefined;
}

/** Whether a line is the first of a journal that this action wrote, in this format or in another version's. */
export function headerKind(line: Buffer): 'ours' | 'other version' | 'foreign' {
  const format = unsealed(line)?.['journal'];
  if (format === FORMAT) return 'ours';
  return typeof format === 'string' && format.startsWith(FAMILY) ? 'other version' : 'foreign';
}

const KEY = /^[0-9a-f]{32}$/;

const isTime = (value: unknown): value is string =>
  typeof value === 'string' && !Number.isNaN(Date.parse(value));

const isOutcome = (value: unknown): value is Outcome => {
  const { outcome, started_at: startedAt } = fieldsOf(value);
  return typeof outcome === 'string' && isTime(startedAt);
};

/** The record of a line without its line feed; undefined if this action did not write the line. */
export function recordOf(line: Buffer): JournalRecord | undefined {
  const { key, run, sent, ended, request_id: id, outcome, ...rest } = unsealed(line) ?? {};
  if (typeof key !== 'string' || !KEY.test(key) || typeof run !== 'string') return undefined;
  if (isTime(sent)) return { key, run, sent, ...(typeof id === 'string' && { request_id: id }) };
  if (typeof ended !== 'string' || !isOutcome(outcome)) return undefined;
  const { text, raw, accepted } = rest;
  return {
    ...{ key, run, ended },
    ...(text === true && { text }),
    ...(typeof raw === 'string' && { raw }),
    ...((accepted === 'event' || accepted === 'execution') && { accepted }),
    outcome,
  };
}

/** The key in a line that is cut, if the line has all of it. */
export const keyOfCutLine = (line: Buffer): string | undefined =>
  /^\{"key":"([0-9a-f]{32})"/.exec(line.toString('latin1', 0, 64))?.[1];

const hashOf = (payload: Invocation['payload']): string =>
  payload instanceof Uint8Array ? hash('sha256', payload) : payload.sha256;

/** The values that make two invocations equal, except for the region. */
const identityOf = ({
  reference,
  qualifier,
  payload,
  http,
  ...invocation
}: Invocation): readonly unknown[] => [
  reference.partition,
  reference.accountId,
  reference.name,
  qualifier ?? reference.qualifier,
  invocation.invocationType,
  invocation.tenantId,
  invocation.clientContext,
  // The event of an HTTP request contains the time and a random ID, so the request is hashed instead.
  hashOf(http === undefined ? payload : Buffer.from(JSON.stringify(http))),
  // Absent without a name, so that the keys of all other invocations are the same as in earlier versions.
  ...(invocation.durableExecutionName === undefined ? [] : [invocation.durableExecutionName]),
];

const KEY_BYTES = 16;

/**
 * Makes the keys of invocations, which must be passed in order: the keys of equal invocations include a count.
 * A key has 32 hexadecimal digits.
 */
export class JournalKeys {
  readonly #counts = new Map<string, number>();

  next(invocation: Invocation, region: string): string {
    const identity = JSON.stringify([region, ...identityOf(invocation)]);
    const same = hash('sha256', identity);
    const count = this.#counts.get(same) ?? 0;
    this.#counts.set(same, count + 1);
    // A slice of a longer text would keep the whole text in memory.
    return hash('sha256', `${same}/${count}`, 'buffer').toString('hex', 0, KEY_BYTES);
  }
}
