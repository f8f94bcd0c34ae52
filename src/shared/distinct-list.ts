// A limit, because thousands of values that all differ would take more memory as keys than as values.
const MOST_KNOWN = 1_000;

/** Values in the order in which they were first added. Of values that are equal as JSON, the first is stored for all. */
export class DistinctList<Value> {
  readonly values: Value[] = [];
  readonly #known = new Map<string, number>();

  /** Adds a value. Returns its place, or the place of an equal value. */
  add(value: Value): number {
    const key = JSON.stringify(value);
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    const place = this.values.push(value) - 1;
    if (this.#known.size < MOST_KNOWN) this.#known.set(key, place);
    return place;
  }
}
