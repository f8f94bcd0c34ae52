import type { Socket } from 'node:net';
import { Writable } from 'node:stream';
import { RuntimeError } from './runtime-errors.ts';

// The mark of a streaming handler in the Node.js runtimes. Some middleware checks for it.
const STREAMING = Symbol.for('aws.lambda.runtime.handler.streaming');
const HIGH_WATER_MARK = Symbol.for('aws.lambda.runtime.handler.streaming.highWaterMark');

const PRELUDE_CONTENT_TYPE = 'application/vnd.awslambda.http-integration-response';
const PRELUDE_DELIMITER = Buffer.alloc(8);

type WriteDone = (error: Error | null | undefined) => void;

/** The responseStream of a streaming handler. Each write is sent to the server immediately. */
export class ResponseStream extends Writable {
  readonly #responses: Socket;
  readonly #onOpen: (contentType: string) => void;
  #contentType = 'application/octet-stream';
  #opened = false;
  #writeCalled = false;
  #prelude: string | undefined;
  #sentBytes = 0;

  constructor(options: {
    responses: Socket;
    /** Called before the first byte, or at the end of an empty response. */
    onOpen: (contentType: string) => void;
    highWaterMark: number | undefined;
  }) {
    super(options.highWaterMark === undefined ? {} : { highWaterMark: options.highWaterMark });
    this.#responses = options.responses;
    this.#onOpen = options.onOpen;
    // Code that waits for the end gets the error. Without a waiter, it is ignored.
    this.on('error', () => undefined);
  }

  /** The number of bytes that were sent to the server or are being sent. */
  get sentBytes(): number {
    return this.#sentBytes;
  }

  /** As on Lambda, this must be called before the first write. */
  setContentType(contentType: string): void {
    if (this.#writeCalled) {
      throw new RuntimeError('Runtime.InvalidStreamingOperation', 'Cannot set content-type, too late.');
    }
    this.#contentType = contentType;
  }

  /** Sends this and a delimiter before the first byte. */
  setPrelude(prelude: string): void {
    this.setContentType(PRELUDE_CONTENT_TYPE);
    this.#prelude = prelude;
  }

  /** Starts the response if nothing has been written. */
  open(): void {
    if (this.#opened) return;
    this.#opened = true;
    this.#onOpen(this.#contentType);
  }

  override write(chunk: unknown, encoding?: BufferEncoding | WriteDone, done?: WriteDone): boolean {
    const isData = typeof chunk === 'string' || chunk instanceof Uint8Array;
    const data = isData ? chunk : JSON.stringify(chunk);
    const prelude = this.#writeCalled ? undefined : this.#prelude;
    this.#writeCalled = true;
    if (prelude !== undefined) {
      super.write(prelude);
      super.write(PRELUDE_DELIMITER);
    }
    return typeof encoding === 'string'
      ? super.write(data, encoding, done)
      : super.write(data, encoding ?? done);
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    this.open();
    this.#sentBytes += chunk.length;
    this.#responses.write(chunk, done);
  }

  override _final(done: (error?: Error | null) => void): void {
    this.open();
    done();
  }
}

/** The global `awslambda` for handlers. */
export const awslambda = {
  /** Marks a handler as one that streams its response. */
  streamifyResponse<Handler extends object>(handler: Handler, options?: { highWaterMark?: number }): Handler {
    Reflect.set(handler, STREAMING, 'response');
    if (typeof options?.highWaterMark === 'number') {
      Reflect.set(handler, HIGH_WATER_MARK, Math.trunc(options.highWaterMark));
    }
    return handler;
  },
  HttpResponseStream: {
    /** Sends the status and headers of an HTTP integration before the stream. */
    from(responseStream: ResponseStream, prelude: Readonly<Record<string, unknown>>): ResponseStream {
      responseStream.setPrelude(JSON.stringify(prelude));
      return responseStream;
    },
  },
};

export const isStreaming = (handler: object): boolean => Reflect.get(handler, STREAMING) === 'response';

export function highWaterMarkOf(handler: object): number | undefined {
  const value: unknown = Reflect.get(handler, HIGH_WATER_MARK);
  return typeof value === 'number' ? value : undefined;
}

/** Resolves when the response has ended normally. Rejects if it was destroyed. */
export function whenEnded(responseStream: ResponseStream): Promise<void> {
  return new Promise((resolve, reject) => {
    responseStream.once('finish', resolve);
    responseStream.once('error', reject);
    responseStream.once('close', () => reject(new Error('Response stream is not finished.')));
  });
}
