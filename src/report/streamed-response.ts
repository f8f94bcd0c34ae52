import { type FileHandle, mkdir, open, rename } from 'node:fs/promises';
import path from 'node:path';

/** Where a response is kept, and whether all of it. */
export type KeptResponse = Readonly<{ path: string; isWhole: boolean }>;

/** Keeps a streamed response in a file as it arrives; until it is whole, the file's name ends in `.partial`. */
export class StreamedResponse {
  readonly #file: string;
  #handle: FileHandle | undefined;
  #error: unknown;

  constructor(file: string) {
    this.#file = file;
  }

  /** Writes a chunk. What goes wrong is thrown by `end`: the invocation is under way and must not suffer from it. */
  async take(chunk: Uint8Array): Promise<void> {
    if (this.#error !== undefined) return;
    try {
      this.#handle ??= await this.#open();
      await this.#handle.appendFile(chunk);
    } catch (error) {
      this.#error = error;
    }
  }

  /** Gives a whole response its name; undefined where nothing came. Throws where it could not be written. */
  async end({ isWhole }: { isWhole: boolean }): Promise<KeptResponse | undefined> {
    await this.#handle?.close();
    if (this.#error !== undefined) throw this.#error;
    if (this.#handle === undefined) return undefined;
    if (!isWhole) return { path: this.#partial, isWhole };
    await rename(this.#partial, this.#file);
    return { path: this.#file, isWhole };
  }

  get #partial(): string {
    return `${this.#file}.partial`;
  }

  async #open(): Promise<FileHandle> {
    await mkdir(path.dirname(this.#file), { recursive: true });
    return open(this.#partial, 'w');
  }
}
