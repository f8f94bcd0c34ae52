import { appendFileSync, mkdtempSync, openSync, realpathSync } from 'node:fs';
import path from 'node:path';

/** A step's results file, in a folder of its own, open from when it is made until the step ends. */
export class ResultsFile {
  readonly path: string;
  readonly #descriptor: number;

  /** Makes it, empty. Throws where `temporaryFolder` can't be written to. */
  constructor(temporaryFolder: string) {
    // Without symlinks in it, as a response that is kept beside it wants its folder.
    const folder = realpathSync.native(mkdtempSync(path.join(temporaryFolder, 'lambda-invoke-')));
    this.path = path.join(folder, 'results.jsonl');
    this.#descriptor = openSync(this.path, 'ax');
  }

  /**
   * Adds one outcome, as JSON, as one line. It is synchronous, because a long line is written in pieces,
   * and those of two that end at once would mix.
   */
  append(json: string): void {
    appendFileSync(this.#descriptor, `${json}\n`);
  }
}
