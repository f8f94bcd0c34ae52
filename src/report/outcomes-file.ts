import { Buffer } from 'node:buffer';
import { appendFileSync, ftruncateSync, mkdtempSync, openSync, realpathSync } from 'node:fs';
import path from 'node:path';
import { messageOf } from '../shared/values.ts';

/** Creates a folder for the files of a step, and returns its path without symlinks. */
function makeOwnFolder(temporaryFolder: string): string {
  try {
    return realpathSync.native(mkdtempSync(path.join(temporaryFolder, 'lambda-invoke-')));
  } catch (cause) {
    throw new Error(
      `The files of this step cannot be written to the folder for temporary files (RUNNER_TEMP): ${messageOf(cause)}\nCheck that the folder exists, and the disk space of the runner. Nothing was invoked.`,
      { cause },
    );
  }
}

/** The outcomes file of a step, in its own folder. It stays open until the step ends. */
export class OutcomesFile {
  readonly path: string;
  readonly #descriptor: number;
  /** The number of bytes in whole lines. */
  #size = 0;
  #missing = 0;
  #error: unknown;

  /** Creates the empty file. Throws if `temporaryFolder` can't be written to. */
  constructor(temporaryFolder: string) {
    // A response that is saved next to the file needs a path without symlinks.
    this.path = path.join(makeOwnFolder(temporaryFolder), 'outcomes.jsonl');
    this.#descriptor = openSync(this.path, 'ax');
  }

  /**
   * Adds one outcome as a line of JSON, or nothing if that fails: `complete` then throws. It is synchronous, because a
   * long line is written in pieces, and the pieces of two lines would mix.
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
      // The step fails because of the missing line in any case.
    }
  }

  /** Throws if outcomes are missing, with their number and the reason. */
  complete(): void {
    if (this.#missing === 0) return;
    const what = this.#missing === 1 ? '1 outcome is' : `${this.#missing} outcomes are`;
    throw new Error(`${what} missing in ${this.path}: ${messageOf(this.#error)}`, { cause: this.#error });
  }
}
