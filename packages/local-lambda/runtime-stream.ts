import type { Socket } from 'node:net';
import { Writable } from 'node:stream';
import { RuntimeError } from './runtime-errors.ts';

// What the Node.js runtimes mark a streaming handler with; some middleware looks for it.
const STREAMING = Symbol.for('aws.lambda.runtime.handler.streaming');
const HIGH_WATER_MARK = Symbol.for('aws.lambda.runtime.handler.streaming.highWaterMark');

const PRELUDE_CONTENT_TYPE = 'application/vnd.awslambda.http-integration-response';
const PRELUDE_DELIMITER = Buffer.alloc(8);

type WriteDone = (error: Error | null | undefined) => void;

/** The responseStream of a streaming handler; what is written goes to the server as it comes. */
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
    // Whoever waits for the end hears of an error; nobody else has to.
    this.on('error', () => undefined);
  }

  /** Bytes that are on their way to the server, or there. */
  get sentBytes(): number {
    return this.#sentBytes;
  }

  /** As Lambda has it: to be called before anything is written. */
  setContentType(contentType: string): void {
    if (this.#writeCalled) {
      throw new RuntimeError('Runtime.InvalidStreamingOperation', 'Cannot set content-type, too late.');
    }
    this.#contentType = contentType;
  }

  /** Sends this, and a delimiter, ahead of the first byte. */
  setPrelude(prelude: string): void {
    this.setContentType(PRELUDE_CONTENT_TYPE);
    this.#prelude = prelude;
  }

  /** Begins the response where nothing has been written. */
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

/** What a handler finds as the global awslambda. */
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
    /** Puts status and headers for an HTTP integration ahead of the stream. */
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

/** Resolves when the response has ended as it should; rejects when it has been destroyed. */
export function whenEnded(responseStream: ResponseStream): Promise<void> {
  return new Promise((resolve, reject) => {
    responseStream.once('finish', resolve);
    responseStream.once('error', reject);
    responseStream.once('close', () => reject(new Error('Response stream is not finished.')));
  });
}
