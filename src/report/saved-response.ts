import { randomUUID } from 'node:crypto';
import { constants } from 'node:fs';
import { type FileHandle, open, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { makeFolder } from '../shared/folder.ts';

const { O_CREAT, O_EXCL, O_NOFOLLOW, O_WRONLY } = constants;

/**
 * A file that is written beside its place, under a name that did not exist before, and moved there when it is
 * whole: a crash leaves no half file, and no symlink or FIFO in either place is written to.
 */
class PartialFile {
  readonly path: string;
  readonly #file: string;
  readonly #handle: FileHandle;

  private constructor(names: { file: string; partial: string }, handle: FileHandle) {
    this.#file = names.file;
    this.path = names.partial;
    this.#handle = handle;
  }

  /** Makes it, with its folder. `file` is absolute, and its folder has no symlink in its path. */
  static async create(file: string): Promise<PartialFile> {
    await makeFolder(path.dirname(file));
    const partial = `${file}.${randomUUID().slice(0, 8)}.partial`;
    const handle = await open(partial, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW);
    return new PartialFile({ file, partial }, handle);
  }

  async append(chunk: Uint8Array): Promise<void> {
    await this.#handle.appendFile(chunk);
  }

  /** Ends the file where it is. */
  async close(): Promise<void> {
    await this.#handle.close();
  }

  /** Ends the file and moves it into its place. */
  async moveIntoPlace(): Promise<void> {
    await this.close();
    await rename(this.path, this.#file);
  }

  /** Ends the file and removes it. */
  async discard(): Promise<void> {
    await this.close();
    await rm(this.path, { force: true });
  }
}

/** Saves a response byte for byte. Missing folders are created. */
export async function saveResponse(file: string, response: Uint8Array): Promise<void> {
  const partial = await PartialFile.create(file);
  try {
    await partial.append(response);
    await partial.moveIntoPlace();
  } catch (error) {
    await partial.discard();
    throw error;
  }
}

/** Where a response is saved, and whether all of it. */
export type SavedResponse = Readonly<{ path: string; isWhole: boolean }>;

/** Saves a streamed response as it arrives; until it is whole, the file's name ends in `.partial`. */
export class StreamedResponse {
  readonly #file: string;
  #partial: PartialFile | undefined;
  #error: unknown;

  constructor(file: string) {
    this.#file = file;
  }

  /** Writes a chunk. An error is thrown by `end`: it must not end the invocation, which is in progress. */
  async take(chunk: Uint8Array): Promise<void> {
    if (this.#error !== undefined) return;
    try {
      this.#partial ??= await PartialFile.create(this.#file);
      await this.#partial.append(chunk);
    } catch (error) {
      this.#error = error;
    }
  }

  /** Gives a whole response its name; undefined if nothing arrived. Throws if it could not be written. */
  async end({ isWhole }: { isWhole: boolean }): Promise<SavedResponse | undefined> {
    const partial = this.#partial;
    if (this.#error !== undefined) {
      await partial?.close();
      throw this.#error;
    }
    if (partial === undefined) return undefined;
    if (isWhole) await partial.moveIntoPlace();
    else await partial.close();
    return { path: isWhole ? this.#file : partial.path, isWhole };
  }
}
