const CHUNK_NUMBERS = 1_024;

/** Numbers in eight bytes each, outside of the heap that is searched for garbage. For thousands of one kind. */
export class NumberColumn {
  // Chunks that never move: a buffer that doubles would leave its copies behind as garbage.
  readonly #chunks: Float64Array[] = [];
  #length = 0;

  get length(): number {
    return this.#length;
  }

  push(value: number): void {
    const at = this.#length % CHUNK_NUMBERS;
    if (at === 0) this.#chunks.push(new Float64Array(CHUNK_NUMBERS));
    this.#chunks.at(-1)?.fill(value, at, at + 1);
    this.#length += 1;
  }

  /** The number at a place from 0; NaN where there is none. */
  at(place: number): number {
    const numbers = this.#chunks[Math.floor(place / CHUNK_NUMBERS)];
    return numbers?.[place % CHUNK_NUMBERS] ?? Number.NaN;
  }
}
