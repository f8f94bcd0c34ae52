/** Kinds of frame between the server and a runtime process, one byte each on the wire. */
export const FRAME = {
  invocationHeaders: 'H',
  invocationPayload: 'P',
  /** Raw output. */
  log: 'L',
  /** What one call of console prints. */
  logEvent: 'C',
  memory: 'M',
  ready: 'I',
  initFailed: 'X',
  started: 'S',
  result: 'R',
  resultTooLarge: 'T',
  failed: 'E',
  failedAndExiting: 'U',
  /** Content: the response's content type. Its bytes come through a pipe of their own. */
  streamOpened: 'O',
  /** How many bytes the response has, as text; those of the other two may come short of what was meant. */
  streamEnded: 'Z',
  streamDestroyed: 'D',
  /** Pairs: bytes, and the error payload. */
  streamFailed: 'F',
} as const;

export type Frame = Readonly<{ kind: string; bytes: Buffer }>;

const HEADER_BYTES = 5;

/** The first bytes of a frame: its kind, then the length of what follows, big-endian. */
export function frameHeader(kind: string, length: number): Buffer {
  const header = Buffer.alloc(HEADER_BYTES);
  header.write(kind, 0, 1, 'latin1');
  header.writeUInt32BE(length, 1);
  return header;
}

/** Puts frames together again from the pieces a stream delivers. */
export class FrameReader {
  #chunks: Buffer[] = [];
  #length = 0;
  #needed = HEADER_BYTES;

  /** Takes the next piece and returns the frames that are complete with it. */
  push(chunk: Buffer): Frame[] {
    this.#chunks.push(chunk);
    this.#length += chunk.length;
    // A 6 MB frame arrives in about a hundred pieces: joining them only once keeps that linear.
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

/** Name and value pairs as text: one pair a line, percent-encoded so that a value may hold anything. */
export function encodePairs(pairs: Readonly<Record<string, string>>): string {
  return Object.entries(pairs)
    .map(([name, value]) => `${name}=${encodeURIComponent(value)}`)
    .join('\n');
}

/** Reads what encodePairs wrote. */
export function decodePairs(text: string): Map<string, string> {
  const pairs = new Map<string, string>();
  for (const line of text.split('\n')) {
    const separator = line.indexOf('=');
    if (separator > 0) pairs.set(line.slice(0, separator), decodeURIComponent(line.slice(separator + 1)));
  }
  return pairs;
}
