/** How long a step of a script lasts: a time, or until so many requests of a kind have seen it. */
export type Lasting =
  | Readonly<{ ms: number }>
  /** Requests of the operation that tells the state: GetFunctionConfiguration, for example. */
  | Readonly<{ polls: number }>
  /** Attempts to invoke; a dry run is none. */
  | Readonly<{ invocations: number }>;

/** What looks at a script. */
export type Look = 'poll' | 'invocation';

function looksLeft(lasts: Lasting | undefined, look: Look): number | undefined {
  if (lasts === undefined) return undefined;
  if ('polls' in lasts) return look === 'poll' ? lasts.polls : undefined;
  if ('invocations' in lasts) return look === 'invocation' ? lasts.invocations : undefined;
  return undefined;
}

/** Steps that follow each other; the last one stays, whatever it says of its duration. */
export class Script<Step extends Readonly<{ lasts?: Lasting }>> {
  readonly #coming: Step[];
  readonly #now: () => number;
  #step: Step;
  #since: number;
  #looks = 0;

  /** `now` tells the time in milliseconds, from any start. */
  constructor([first, ...coming]: readonly [Step, ...Step[]], now: () => number) {
    this.#step = first;
    this.#coming = coming;
    this.#now = now;
    this.#since = now();
  }

  /** The step it is in, without counting as a look. */
  get step(): Step {
    for (;;) {
      const { lasts } = this.#step;
      const ms = lasts !== undefined && 'ms' in lasts ? lasts.ms : Number.POSITIVE_INFINITY;
      if (this.#now() - this.#since < ms || !this.#advance(this.#since + ms)) return this.#step;
    }
  }

  /** The step it is in; ends it where this is the last look that it lasts for. */
  look(look: Look): Step {
    const { step } = this;
    const left = looksLeft(step.lasts, look);
    if (left !== undefined) {
      this.#looks += 1;
      if (this.#looks >= left) this.#advance(this.#now());
    }
    return step;
  }

  #advance(since: number): boolean {
    const next = this.#coming.shift();
    if (next === undefined) return false;
    this.#step = next;
    this.#since = since;
    this.#looks = 0;
    return true;
  }
}
