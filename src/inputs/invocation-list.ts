import type { Invocation, InvocationKind, Invocations } from '../lambda/invocation.ts';
import { NumberColumn } from '../shared/number-column.ts';
import { limitYoungGeneration } from '../shared/young-generation.ts';

// Entries that all differ in more than their events and names would take more memory as keys than as what they are.
const MOST_KNOWN = 1_000;

/**
 * The invocations of a step, each made when it is asked for: of 100,000 that differ only in their events, names and
 * places, what they have in common is kept once.
 */
export class InvocationList implements Invocations {
  readonly #kinds: InvocationKind[] = [];
  readonly #known = new Map<string, number>();
  readonly #kindOf = new NumberColumn('uint32');
  readonly #indexes = new NumberColumn('float64');
  readonly #payloads: Invocation['payload'][] = [];
  readonly #names = new Map<number, string>();
  #last: Readonly<{ entry: Omit<Invocation, 'index' | 'payload'>; place: number }> | undefined;

  get length(): number {
    return this.#payloads.length;
  }

  /** Adds an invocation of an entry. */
  add(
    entry: Omit<Invocation, 'index' | 'payload'>,
    { index, payload }: Pick<Invocation, 'index' | 'payload'>,
  ): void {
    const { name, ...kind } = entry;
    if (name !== undefined) this.#names.set(this.length, name);
    if (this.#last?.entry !== entry) this.#last = { entry, place: this.#placeOf(kind) };
    this.#kindOf.push(this.#last.place);
    this.#indexes.push(index);
    this.#payloads.push(payload);
    limitYoungGeneration({ at: this.length, length: this.length });
  }

  #placeOf(kind: InvocationKind): number {
    const key = JSON.stringify(kind);
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    const place = this.#kinds.push(kind) - 1;
    if (this.#known.size < MOST_KNOWN) this.#known.set(key, place);
    return place;
  }

  some(isMeant: (kind: InvocationKind) => boolean): boolean {
    return this.#kinds.some(isMeant);
  }

  every(isMeant: (kind: InvocationKind) => boolean): boolean {
    return this.#kinds.every(isMeant);
  }

  /** What the first that is meant has in common with others: kinds are in the order of their first invocation. */
  find(isMeant: (kind: InvocationKind) => boolean): InvocationKind | undefined {
    return this.#kinds.find(isMeant);
  }

  *[Symbol.iterator](): Generator<Invocation, void> {
    for (const [place, payload] of this.#payloads.entries()) {
      const kind = this.#kinds[this.#kindOf.at(place)];
      if (kind === undefined) return;
      const name = this.#names.get(place);
      const index = this.#indexes.at(place);
      yield Object.freeze({ ...kind, ...(name !== undefined && { name }), payload, index });
    }
  }
}
