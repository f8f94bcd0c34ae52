export { quote } from '../shared/text.ts';

/** Invalid inputs: all their problems, one per line, found before anything was sent. */
export class InvalidInputError extends Error {
  override readonly name = 'InvalidInputError';
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    super(problems.join('\n'));
    this.problems = problems;
  }
}

/** Collects the problems of all inputs, so that a user can fix them in one go. */
export class Problems {
  readonly #found: Set<string>;
  readonly #place: string;

  constructor(found = new Set<string>(), place = '') {
    this.#found = found;
    this.#place = place;
  }

  /**
   * Adds one problem: a sentence that names the input, says what was wrong and how to fix it. Equal problems count
   * once.
   */
  add(problem: string): void {
    this.#found.add(this.#place + problem);
  }

  /** Adds the problems of another collection after those found so far. */
  addAll(others: Problems): void {
    for (const problem of others.#found) this.add(problem);
  }

  /** The same collection, in which each problem begins with the place where it was found. */
  at(place: string): Problems {
    return new Problems(this.#found, `${place}: `);
  }

  /** All problems found so far, as an error to throw; undefined if there are none. */
  get error(): InvalidInputError | undefined {
    return this.#found.size > 0 ? new InvalidInputError([...this.#found]) : undefined;
  }
}
