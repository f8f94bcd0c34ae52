/** Bad input: everything that is wrong with it, one line each, found before anything was sent. */
export class InvalidInputError extends Error {
  override readonly name = 'InvalidInputError';
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    super(problems.join('\n'));
    this.problems = problems;
  }
}

/** Collects what is wrong with the inputs, so that a user can fix it all in one go. */
export class Problems {
  readonly #found: Set<string>;
  readonly #place: string;

  constructor(found = new Set<string>(), place = '') {
    this.#found = found;
    this.#place = place;
  }

  /** Adds one problem: a sentence that names the input, says what was wrong and how to fix it. Equal problems count once. */
  add(problem: string): void {
    this.#found.add(this.#place + problem);
  }

  /** Adds those of another collection, after what was found so far. */
  addAll(others: Problems): void {
    for (const problem of others.#found) this.add(problem);
  }

  /** The same collection, in which each problem begins with the place where it was found. */
  at(place: string): Problems {
    return new Problems(this.#found, `${place}: `);
  }

  /** What was found so far, as an error to throw; undefined where all is well. */
  get error(): InvalidInputError | undefined {
    return this.#found.size > 0 ? new InvalidInputError([...this.#found]) : undefined;
  }
}

const QUOTED_CHARACTERS = 120;

/** An input's value as a message quotes it: on one line, escaped, at most 120 characters. */
export function quote(value: string): string {
  const shown = value.length > QUOTED_CHARACTERS ? `${value.slice(0, QUOTED_CHARACTERS)}…` : value;
  return JSON.stringify(shown);
}
