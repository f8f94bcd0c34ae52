import { randomUUID } from 'node:crypto';
import { constants } from 'node:fs';
import { type FileHandle, open, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { makeFolder } from '../shared/folder.ts';

const { O_CREAT, O_EXCL, O_NOFOLLOW, O_WRONLY } = constants;

/**
 * A file that is written next to its final place, under a new name, and moved there when it is whole. So a crash leaves
 * no half file, and the action never writes to a symlink or a FIFO in either place.
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

  /** Creates the file and its folder. `file` is absolute, and the path of its folder has no symlink. */
  static async create(file: string): Promise<PartialFile> {
    await makeFolder(path.dirname(file));
    const partial = `${file}.${randomUUID().slice(0, 8)}.partial`;
    const handle = await open(partial, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW);
    return new PartialFile({ file, partial }, handle);
  }

  async append(chunk: Uint8Array): Promise<void> {
    await this.#handle.appendFile(chunk);
  }

  /** Closes the file and leaves it in its temporary place. */
  async close(): Promise<void> {
    await this.#handle.close();
  }

  /** Closes the file and moves it to its final place. */
  async moveIntoPlace(): Promise<void> {
    await this.close();
    await rename(this.path, this.#file);
  }

  /** Closes the file and removes it. */
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

/** The file of a saved response, and whether it has all of it. */
export type SavedResponse = Readonly<{ path: string; isWhole: boolean }>;

/** Saves a streamed response as it arrives. Until it is whole, the name of the file ends in `.partial`. */
export class StreamedResponse {
  readonly #file: string;
  #partial: PartialFile | undefined;
  #error: unknown;

  constructor(file: string) {
    this.#file = file;
  }

  /** Writes a chunk. If that fails, `end` throws, because the error must not end the invocation in progress. */
  async take(chunk: Uint8Array): Promise<void> {
    if (this.#error !== undefined) return;
    try {
      this.#partial ??= await PartialFile.create(this.#file);
      await this.#partial.append(chunk);
    } catch (error) {
      this.#error = error;
    }
  }

  /**
   * Closes the file, and gives a whole response its final name. Undefined if nothing arrived. Throws if writing failed.
   */
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
