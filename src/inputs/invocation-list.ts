import type { Invocation, InvocationKind, Invocations } from '../lambda/invocation.ts';
import { DistinctList } from '../shared/distinct-list.ts';
import { NumberColumn } from '../shared/number-column.ts';
import { limitYoungGeneration } from '../shared/young-generation.ts';

/**
 * The invocations of a step. Each is created when it is iterated over: what 100,000 invocations with different events
 * and names have in common is stored once.
 */
export class InvocationList implements Invocations {
  readonly #kinds = new DistinctList<InvocationKind>();
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
    if (this.#last?.entry !== entry) this.#last = { entry, place: this.#kinds.add(kind) };
    this.#kindOf.push(this.#last.place);
    this.#indexes.push(index);
    this.#payloads.push(payload);
    limitYoungGeneration({ at: this.length, length: this.length });
  }

  some(isMeant: (kind: InvocationKind) => boolean): boolean {
    return this.#kinds.values.some(isMeant);
  }

  every(isMeant: (kind: InvocationKind) => boolean): boolean {
    return this.#kinds.values.every(isMeant);
  }

  /** The kind of the first matching invocation. Kinds are in the order of their first invocations. */
  find(isMeant: (kind: InvocationKind) => boolean): InvocationKind | undefined {
    return this.#kinds.values.find(isMeant);
  }

  *[Symbol.iterator](): Generator<Invocation, void> {
    for (const [place, payload] of this.#payloads.entries()) {
      const kind = this.#kinds.values[this.#kindOf.at(place)];
      if (kind === undefined) return;
      const name = this.#names.get(place);
      const index = this.#indexes.at(place);
      yield Object.freeze({ ...kind, ...(name !== undefined && { name }), payload, index });
    }
  }
}
