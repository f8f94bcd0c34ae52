import { Readable } from 'node:stream';

/** The response of one invocation while its handler streams it. A slow reader slows the handler down. */
export class StreamedResponse {
  readonly contentType: string;
  readonly body: AsyncIterable<Buffer>;
  readonly #readable: Readable;
  readonly #source: Readable;
  readonly #onData = (chunk: Buffer): void => this.#receive(chunk);
  readonly #onEnd = (): void => this.#end();
  #received = 0;
  #total = Number.POSITIVE_INFINITY;
  #ended = false;
  #whenReceived: (() => void) | undefined;

  /** The source is the pipe of an environment, which carries one response after another. */
  constructor(source: Readable, contentType: string) {
    this.contentType = contentType;
    this.#source = source;
    // After the reader has left, the data is still read from the handler, which continues as on AWS.
    this.#readable = new Readable({
      read: () => source.resume(),
      destroy: (error, done) => this.#abandon(error, done),
    });
    this.body = this.#readable;
    source.on('data', this.#onData);
    source.once('end', this.#onEnd);
    source.once('close', this.#onEnd);
  }

  /** Sets the total number of bytes. Resolves when they have been read from the pipe. */
  finish(totalBytes: number): Promise<void> {
    this.#total = totalBytes;
    return new Promise((resolve) => {
      this.#whenReceived = resolve;
      if (this.#ended) resolve();
      else if (this.#received >= totalBytes) this.#end();
    });
  }

  #receive(chunk: Buffer): void {
    this.#received += chunk.length;
    const wantsMore = this.#readable.destroyed || this.#readable.push(chunk);
    if (this.#received >= this.#total) this.#end();
    else if (!wantsMore) this.#source.pause();
  }

  #end(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#source.pause();
    this.#source.off('data', this.#onData);
    this.#source.off('end', this.#onEnd);
    this.#source.off('close', this.#onEnd);
    if (!this.#readable.destroyed) this.#readable.push(null);
    this.#whenReceived?.();
  }

  #abandon(error: Error | null, done: (error?: Error | null) => void): void {
    if (!this.#ended) this.#source.resume();
    done(error);
  }
}

/** Reads a body to its end. Undefined if it has more bytes than the limit. */
export async function collect(body: AsyncIterable<Buffer>, limitBytes: number): Promise<Buffer | undefined> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of body) {
    length += chunk.length;
    if (length <= limitBytes) chunks.push(chunk);
    else chunks.length = 0;
  }
  return length <= limitBytes ? Buffer.concat(chunks) : undefined;
}
