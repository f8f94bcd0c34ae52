import { Buffer } from 'node:buffer';
import { grouped, utf8Start } from '../shared/text.ts';

// The same limit as for a response that is shown at the end.
const SHOWN_BYTES = 64 * 1024;
const CUT_NOTE = `… cut: the first ${grouped(SHOWN_BYTES)} bytes`;
// More than any form of a credential has. The end of a line that is not complete may be the start of a secret.
const LONGEST_SECRET = 16 * 1024;

/** Turns a streamed response, as it arrives, into what the log shows: whole lines of text, cut at 64 KiB. */
export class LiveResponse {
  readonly #hide: (text: string) => string;
  readonly #decoder = new TextDecoder('utf-8', { fatal: true });
  #rest = '';
  #bytesLeft = SHOWN_BYTES;
  #isOver = false;

  /** @param hide replaces the secrets in a text */
  constructor(hide: (text: string) => string) {
    this.#hide = hide;
  }

  /** The lines that this chunk completes, without secrets; empty if it completes none. */
  next(chunk: Uint8Array): string {
    if (this.#isOver) return '';
    const decoded = this.#decode(chunk);
    if (decoded === undefined) {
      this.#isOver = true;
      return 'The response is not text, so the rest of it is not shown.';
    }
    const text = this.#rest + decoded;
    if (text.length > this.#bytesLeft + LONGEST_SECRET) {
      const bytes = Buffer.from(this.#hide(text));
      return this.#cut(bytes.subarray(0, Math.max(0, bytes.length - LONGEST_SECRET)));
    }
    const end = text.lastIndexOf('\n') + 1;
    this.#rest = text.slice(end);
    return this.#show(text.slice(0, end));
  }

  /** The last line, when the response has ended. */
  end(): string {
    return this.#isOver ? '' : this.#show(this.#rest);
  }

  #decode(chunk: Uint8Array): string | undefined {
    try {
      return this.#decoder.decode(chunk, { stream: true });
    } catch {
      return undefined;
    }
  }

  #show(lines: string): string {
    const text = this.#hide(lines);
    const bytes = Buffer.from(text);
    if (bytes.length > this.#bytesLeft) return this.#cut(bytes);
    this.#bytesLeft -= bytes.length;
    return text.replace(/\n$/, '');
  }

  /** The first bytes of a text that is too long, and a note. Nothing is shown after it. */
  #cut(bytes: Uint8Array): string {
    this.#isOver = true;
    const kept = utf8Start(bytes, this.#bytesLeft);
    return kept === '' ? CUT_NOTE : `${kept}\n${CUT_NOTE}`;
  }
}
