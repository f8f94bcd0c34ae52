import { Buffer } from 'node:buffer';
import { appendFileSync, ftruncateSync, mkdtempSync, openSync, realpathSync } from 'node:fs';
import path from 'node:path';
import { messageOf } from '../shared/values.ts';

/** A step's outcomes file, in a folder of its own, open from when it is made until the step ends. */
export class OutcomesFile {
  readonly path: string;
  readonly #descriptor: number;
  /** Bytes of the lines that are whole. */
  #size = 0;
  #missing = 0;
  #error: unknown;

  /** Makes it, empty. Throws where `temporaryFolder` can't be written to. */
  constructor(temporaryFolder: string) {
    // Without symlinks in it, since a response that is saved next to it needs its folder.
    const folder = realpathSync.native(mkdtempSync(path.join(temporaryFolder, 'lambda-invoke-')));
    this.path = path.join(folder, 'outcomes.jsonl');
    this.#descriptor = openSync(this.path, 'ax');
  }

  /**
   * Adds one outcome, as JSON, as one line, or nothing of it: what is missing is for `complete` to say. It is
   * synchronous, because a long line is written in pieces, and those of two that end at once would mix.
   */
  append(json: string): void {
    const line = Buffer.from(`${json}\n`);
    try {
      appendFileSync(this.#descriptor, line);
      this.#size += line.length;
    } catch (error) {
      this.#missing += 1;
      this.#error ??= error;
      this.#removeTornLine();
    }
  }

  #removeTornLine(): void {
    try {
      ftruncateSync(this.#descriptor, this.#size);
    } catch {
      // The step fails for the missing line in any case.
    }
  }

  /** Throws where outcomes are missing, and says how many and why. */
  complete(): void {
    if (this.#missing === 0) return;
    const what = this.#missing === 1 ? '1 outcome is' : `${this.#missing} outcomes are`;
    throw new Error(`${what} missing in ${this.path}: ${messageOf(this.#error)}`, { cause: this.#error });
  }
}
