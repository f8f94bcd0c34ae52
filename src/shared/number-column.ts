const CHUNK_NUMBERS = 1_024;

const KINDS = { float64: Float64Array, uint32: Uint32Array } as const;

/** A list of up to 100,000 numbers in typed arrays, which take a few bytes each and no time of the garbage collector. */
export class NumberColumn {
  readonly #kind: keyof typeof KINDS;
  // Chunks, because an array that is copied to grow would leave its copies behind as garbage.
  readonly #chunks: (Float64Array | Uint32Array)[] = [];
  #length = 0;

  /** @param kind uint32 for whole numbers below 2 ** 32, float64 for all others */
  constructor(kind: keyof typeof KINDS) {
    this.#kind = kind;
  }

  get length(): number {
    return this.#length;
  }

  push(value: number): void {
    const at = this.#length % CHUNK_NUMBERS;
    if (at === 0) this.#chunks.push(new KINDS[this.#kind](CHUNK_NUMBERS));
    this.#chunks.at(-1)?.fill(value, at, at + 1);
    this.#length += 1;
  }

  /** The number at a place from 0, or NaN if there is none. */
  at(place: number): number {
    if (place >= this.#length) return Number.NaN;
    const numbers = this.#chunks[Math.floor(place / CHUNK_NUMBERS)];
    return numbers?.[place % CHUNK_NUMBERS] ?? Number.NaN;
  }
}
