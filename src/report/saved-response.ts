import { PartialFile } from './partial-file.ts';

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

  /** Gives a whole response its name; undefined where nothing arrived. Throws where it could not be written. */
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
