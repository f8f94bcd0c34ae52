import { Buffer } from 'node:buffer';
import { appendFileSync, openSync, writeFileSync } from 'node:fs';
import { linesBeyond } from '../outcome/log-tail.ts';
import { cut, grouped } from '../shared/text.ts';
import { writeForeign, writeGroup } from './foreign-text.ts';

/** A log event of a function, and its time in milliseconds since 1970. */
type WrittenText = Readonly<{ timestamp: number; message: string }>;

/** How far a log was read: to its end, in part, not at all, until the workflow was cancelled, or until AWS refused. */
type ReadTo = 'whole' | 'part' | 'none' | 'cancelled' | 'unreadable';

/** How the log is shown and kept. */
export type FunctionLogOptions = Readonly<{
  file: string;
  /** Whether events are written as they arrive. Otherwise the log is written at its end, when all secrets are known. */
  isLive: boolean;
  /** The title of the log if it is written at its end. */
  title: string;
  /** How many bytes are written then; undefined means all. */
  longestShown?: number;
  hide: (text: string) => string;
}>;

/** How a log ended: how far it was read, and the log tail that Lambda returned with the response. */
export type FunctionLogEnd = Readonly<{
  readTo: ReadTo;
  isShared: boolean;
  tail?: string;
  /** Whether the masks could not be applied, so that nothing of the log may be shown. */
  isWithheld: boolean;
}>;

const MEBIBYTE = 1024 * 1024;
const LONGEST_MEBIBYTES = 64;

const NOTES: Readonly<Record<ReadTo, string | undefined>> = {
  whole: undefined,
  part: 'CloudWatch did not have the end of the function log within 30 s after the response. The log may be incomplete.',
  none: 'CloudWatch had no log events of this request within 30 s after the response.',
  cancelled: 'The workflow was cancelled. The function log may be incomplete.',
  unreadable: undefined,
};
const SHARED_NOTE =
  'Several requests write into this log stream at once. Only lines with the request ID of this invocation are shown.';

/** The log of one invocation: in the runner's log, and in a file of at most 64 MiB. */
export class FunctionLog {
  readonly #options: FunctionLogOptions;
  readonly #written: WrittenText[] = [];
  #bytes = 0;
  #isFull = false;
  #latest = 0;
  /** Whether an event arrived after a newer one. */
  #isUnordered = false;
  #descriptor: number | undefined;

  constructor(options: FunctionLogOptions) {
    this.#options = options;
  }

  /** The path of the file; undefined if nothing is in it. */
  get file(): string | undefined {
    return this.#descriptor === undefined ? undefined : this.#options.file;
  }

  /** Takes events in the order in which they were found. Throws if the file can't be written. */
  add(events: readonly WrittenText[]): void {
    const taken = events.filter((event) => this.#takes(event));
    if (taken.length === 0) return;
    for (const { timestamp } of taken) {
      this.#isUnordered ||= timestamp < this.#latest;
      this.#latest = Math.max(this.#latest, timestamp);
    }
    for (const event of taken) this.#written.push(event);
    if (!this.#options.isLive) return;
    const text = this.#textOf(taken);
    writeForeign(text);
    this.#append(`${text}\n`);
  }

  /** Writes the rest, which is known only at the end. Throws if the file can't be written. */
  end({ readTo, isShared, tail, isWithheld }: FunctionLogEnd): void {
    if (isWithheld) return;
    const { isLive, title, longestShown = Number.POSITIVE_INFINITY } = this.#options;
    const hasText = this.#written.length > 0;
    if (hasText && !isLive) writeGroup({ title, foreign: cut(this.#textOf(this.#inOrder()), longestShown) });
    if (tail !== undefined && readTo !== 'whole') this.#showRest(tail);
    for (const note of [NOTES[readTo], ...(isShared ? [SHARED_NOTE] : [])]) {
      if (note !== undefined) writeForeign(note);
    }
    if (!hasText) return;
    if (!isLive || this.#isUnordered) this.#rewrite();
    const size = this.#isFull ? `the first ${LONGEST_MEBIBYTES} MiB` : `${grouped(this.#bytes)} bytes`;
    writeForeign(`Function log saved to ${this.#options.file} (${size})`);
  }

  #takes({ message }: WrittenText): boolean {
    const bytes = Buffer.byteLength(message) + 1;
    this.#isFull ||= this.#bytes + bytes > LONGEST_MEBIBYTES * MEBIBYTE;
    if (!this.#isFull) this.#bytes += bytes;
    return !this.#isFull;
  }

  #textOf(events: readonly WrittenText[]): string {
    const { hide } = this.#options;
    return events.map(({ message }) => hide(message.replace(/\r?\n$/, ''))).join('\n');
  }

  /** The events in the order of their time. In the runner's log, they are in the order in which they arrived. */
  #inOrder(): WrittenText[] {
    return this.#written.toSorted((one, other) => one.timestamp - other.timestamp);
  }

  #showRest(tail: string): void {
    const read = this.#inOrder().flatMap(({ message }) => message.trimEnd().split('\n'));
    const rest = linesBeyond(read, tail);
    const title =
      read.length === 0 ? 'Function log, from the log tail' : 'Rest of the function log, from the log tail';
    if (rest !== '') writeGroup({ title, foreign: this.#options.hide(rest) });
  }

  #append(text: string): void {
    this.#descriptor ??= openSync(this.#options.file, 'ax');
    appendFileSync(this.#descriptor, text);
  }

  #rewrite(): void {
    this.#descriptor ??= openSync(this.#options.file, 'ax');
    writeFileSync(this.#options.file, `${this.#textOf(this.#inOrder())}\n`);
  }
}
