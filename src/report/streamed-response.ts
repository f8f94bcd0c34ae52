import { PartialFile } from './partial-file.ts';

/** Where a response is kept, and whether all of it. */
export type KeptResponse = Readonly<{ path: string; isWhole: boolean }>;

/** Keeps a streamed response in a file as it arrives; until it is whole, the file's name ends in `.partial`. */
export class StreamedResponse {
  readonly #file: string;
  #partial: PartialFile | undefined;
  #error: unknown;

  constructor(file: string) {
    this.#file = file;
  }

  /** Writes a chunk. What goes wrong is thrown by `end`: the invocation is under way and must not suffer from it. */
  async take(chunk: Uint8Array): Promise<void> {
    if (this.#error !== undefined) return;
    try {
      this.#partial ??= await PartialFile.create(this.#file);
      await this.#partial.append(chunk);
    } catch (error) {
      this.#error = error;
    }
  }

  /** Gives a whole response its name; undefined where nothing came. Throws where it could not be written. */
  async end({ isWhole }: { isWhole: boolean }): Promise<KeptResponse | undefined> {
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
