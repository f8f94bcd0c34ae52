import { Buffer } from 'node:buffer';
import { grouped, utf8Start } from '../shared/text.ts';

// The same limit as for a response that is shown at the end.
const SHOWN_BYTES = 64 * 1024;

/** Turns a streamed response, as it arrives, into what the log shows: whole lines of text, cut at 64 KiB. */
export class LiveResponse {
  readonly #decoder = new TextDecoder('utf-8', { fatal: true });
  #rest = '';
  #bytesLeft = SHOWN_BYTES;

  /** The lines that this chunk completes; empty if it completes none. */
  next(chunk: Uint8Array): string {
    if (this.#bytesLeft === 0) return '';
    const text = this.#rest + this.#decode(chunk);
    const end = text.length > this.#bytesLeft ? text.length : text.lastIndexOf('\n') + 1;
    this.#rest = text.slice(end);
    return this.#show(text.slice(0, end));
  }

  /** The last line, when the response has ended. */
  end(): string {
    return this.#show(this.#rest);
  }

  #decode(chunk: Uint8Array): string {
    try {
      return this.#decoder.decode(chunk, { stream: true });
    } catch {
      // The response is not text, so nothing of it is shown.
      this.#rest = '';
      this.#bytesLeft = 0;
      return 'The response is not text, so it is not shown.\n';
    }
  }

  #show(lines: string): string {
    const bytes = Buffer.from(lines);
    if (bytes.length <= this.#bytesLeft || this.#bytesLeft === 0) {
      this.#bytesLeft -= Math.min(bytes.length, this.#bytesLeft);
      return lines.replace(/\n$/, '');
    }
    const kept = utf8Start(bytes, this.#bytesLeft);
    this.#bytesLeft = 0;
    return `${kept}\n… cut: the first ${grouped(SHOWN_BYTES)} bytes`;
  }
}
