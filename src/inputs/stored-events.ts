import { Buffer } from 'node:buffer';
import { hash } from 'node:crypto';
import { close, fstat, open, read } from 'node:fs';
import { promisify } from 'node:util';
import type { StoredPayload } from '../lambda/invocation.ts';
import { NumberColumn } from '../shared/number-column.ts';
import { fingerprintOf, OPEN_FLAGS, type OpenedFile } from './input-file.ts';
import { type FilePart, lineIn } from './json-lines.ts';

/** A place in a file that must not change while the step runs. */
export type EventPlace = FilePart &
  Readonly<{
    file: Pick<OpenedFile, 'real' | 'source' | 'fingerprint'>;
    /** Absent if the whole file is the event. */
    line?: number;
    /** Whether the place has a JSON string that contains the event as text. */
    isText?: boolean;
  }>;

/** The event at a place: its bytes, or the text in its JSON string. */
const eventIn = (bytes: Buffer, isText = false): Buffer =>
  isText ? Buffer.from(String(JSON.parse(bytes.toString())).trim()) : bytes;

// Not node:fs/promises: each of its requests allocates memory for a file status, which V8 frees late.
const FILES = {
  open: promisify(open),
  read: promisify(read),
  fstat: promisify(fstat),
  close: promisify(close),
} as const;

/** Reads an event. Rejects if the file or the event has changed since it was checked. */
async function readStored(
  { file, offset, length, line, isText }: EventPlace,
  sha256: string,
): Promise<Buffer> {
  const { real, source, fingerprint } = file;
  const where = line === undefined ? source : lineIn(source, line);
  const descriptor = await FILES.open(real, OPEN_FLAGS);
  try {
    const { buffer } = await FILES.read(descriptor, Buffer.alloc(length), 0, length, offset);
    const isSame = fingerprintOf(await FILES.fstat(descriptor, { bigint: true })) === fingerprint;
    const event = isSame ? eventIn(buffer, isText) : undefined;
    if (event !== undefined && hash('sha256', event) === sha256) return event;
  } finally {
    await FILES.close(descriptor);
  }
  throw new Error(`${where} was changed after it was checked`);
}

/** An event that stays in its file until it is sent. It is sent only if it has not changed since it was checked. */
class StoredEvent implements StoredPayload {
  // There can be 100,000 events, so each is only a place in the lists.
  readonly #all: StoredEvents;
  readonly #place: number;

  constructor(all: StoredEvents, place: number) {
    this.#all = all;
    this.#place = place;
  }

  get sha256(): string {
    return this.#all.sha256At(this.#place);
  }

  read(): Promise<Uint8Array> {
    return readStored(this.#all.placeAt(this.#place), this.sha256);
  }
}

const HASH_WORDS = 8;
const WORD_BYTES = 4;

/** The events of a step that stay in their files. The place and the hash of an event take about 60 bytes. */
export class StoredEvents {
  readonly #files: EventPlace['file'][] = [];
  readonly #fileOf = new NumberColumn('uint32');
  readonly #offsets = new NumberColumn('float64');
  readonly #lengths = new NumberColumn('uint32');
  /** From 1, or 0 if the whole file is the event. */
  readonly #lines = new NumberColumn('uint32');
  readonly #areTexts = new NumberColumn('uint32');
  readonly #hashes = new NumberColumn('uint32');

  /** Adds an event that was checked. */
  add({ file, offset, length, line = 0, isText = false }: EventPlace, event: Uint8Array): StoredPayload {
    const place = this.#offsets.length;
    this.#fileOf.push(this.#placeOf(file));
    this.#offsets.push(offset);
    this.#lengths.push(length);
    this.#lines.push(line);
    this.#areTexts.push(Number(isText));
    const digest = hash('sha256', event, 'buffer');
    for (let word = 0; word < HASH_WORDS; word += 1) {
      this.#hashes.push(digest.readUInt32BE(word * WORD_BYTES));
    }
    return new StoredEvent(this, place);
  }

  /** The files in the order of their events, which are added file by file. */
  #placeOf({ real, source, fingerprint }: EventPlace['file']): number {
    const last = this.#files.at(-1);
    if (last?.source !== source || last.fingerprint !== fingerprint) {
      this.#files.push({ real, source, fingerprint });
    }
    return this.#files.length - 1;
  }

  /** The place of an event. */
  placeAt(place: number): EventPlace {
    const file = this.#files[this.#fileOf.at(place)];
    if (file === undefined) throw new Error(`no event ${place}`);
    const line = this.#lines.at(place);
    return {
      file,
      offset: this.#offsets.at(place),
      length: this.#lengths.at(place),
      ...(line > 0 && { line }),
      isText: this.#areTexts.at(place) === 1,
    };
  }

  /** The hash of an event, in hexadecimal digits. */
  sha256At(place: number): string {
    const digest = Buffer.alloc(HASH_WORDS * WORD_BYTES);
    for (let word = 0; word < HASH_WORDS; word += 1) {
      digest.writeUInt32BE(this.#hashes.at(place * HASH_WORDS + word), word * WORD_BYTES);
    }
    return digest.toString('hex');
  }
}
