/** The kinds of frames between the server and a runtime process, one byte each. */
export const FRAME = {
  invocationHeaders: 'H',
  invocationPayload: 'P',
  /** Raw output. */
  log: 'L',
  /** The output of one console call. */
  logEvent: 'C',
  memory: 'M',
  ready: 'I',
  initFailed: 'X',
  started: 'S',
  result: 'R',
  resultTooLarge: 'T',
  failed: 'E',
  failedAndExiting: 'U',
  /** The response's content type. The response's bytes have a separate pipe. */
  streamOpened: 'O',
  /** The length of the response in bytes, as text. After the other two, the response may be incomplete. */
  streamEnded: 'Z',
  streamDestroyed: 'D',
  /** Name and value pairs: the length in bytes, and the error payload. */
  streamFailed: 'F',
} as const;

export type Frame = Readonly<{ kind: string; bytes: Buffer }>;

const HEADER_BYTES = 5;

/** The header of a frame: its kind, then the length of its content, big-endian. */
export function frameHeader(kind: string, length: number): Buffer {
  const header = Buffer.alloc(HEADER_BYTES);
  header.write(kind, 0, 1, 'latin1');
  header.writeUInt32BE(length, 1);
  return header;
}

/** Reassembles frames from the chunks of a stream. */
export class FrameReader {
  #chunks: Buffer[] = [];
  #length = 0;
  #needed = HEADER_BYTES;

  /** Takes the next chunk and returns the frames that it completes. */
  push(chunk: Buffer): Frame[] {
    this.#chunks.push(chunk);
    this.#length += chunk.length;
    // A 6 MB frame arrives in about a hundred chunks. Joining them only once keeps the cost linear.
    if (this.#length < this.#needed) return [];
    let rest = Buffer.concat(this.#chunks);
    const frames: Frame[] = [];
    this.#needed = HEADER_BYTES;
    while (rest.length >= HEADER_BYTES) {
      const end = HEADER_BYTES + rest.readUInt32BE(1);
      if (rest.length < end) {
        this.#needed = end;
        break;
      }
      frames.push({ kind: rest.toString('latin1', 0, 1), bytes: rest.subarray(HEADER_BYTES, end) });
      rest = rest.subarray(end);
    }
    this.#chunks = [rest];
    this.#length = rest.length;
    return frames;
  }
}

/** Encodes name and value pairs as text: one pair per line, percent-encoded so that any value is possible. */
export function encodePairs(pairs: Readonly<Record<string, string>>): string {
  return Object.entries(pairs)
    .map(([name, value]) => `${name}=${encodeURIComponent(value)}`)
    .join('\n');
}

/** Decodes the text from encodePairs. */
export function decodePairs(text: string): Map<string, string> {
  const pairs = new Map<string, string>();
  for (const line of text.split('\n')) {
    const separator = line.indexOf('=');
    if (separator > 0) pairs.set(line.slice(0, separator), decodeURIComponent(line.slice(separator + 1)));
  }
  return pairs;
}
