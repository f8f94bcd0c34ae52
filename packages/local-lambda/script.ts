/** How long a step of a script lasts: a time, or a number of requests that observe it. */
export type Lasting =
  | Readonly<{ ms: number }>
  /** Requests that read the state, for example GetFunctionConfiguration. */
  | Readonly<{ polls: number }>
  /** Attempts to invoke. Dry runs do not count. */
  | Readonly<{ invocations: number }>;

/** What observes a script. */
export type Look = 'poll' | 'invocation';

function looksLeft(lasts: Lasting | undefined, look: Look): number | undefined {
  if (lasts === undefined) return undefined;
  if ('polls' in lasts) return look === 'poll' ? lasts.polls : undefined;
  if ('invocations' in lasts) return look === 'invocation' ? lasts.invocations : undefined;
  return undefined;
}

/** A sequence of steps. The last one stays, whatever its duration. */
export class Script<Step extends Readonly<{ lasts?: Lasting }>> {
  readonly #coming: Step[];
  readonly #now: () => number;
  #step: Step;
  #since: number;
  #looks = 0;

  /** `now` returns the time in milliseconds, from any origin. */
  constructor([first, ...coming]: readonly [Step, ...Step[]], now: () => number) {
    this.#step = first;
    this.#coming = coming;
    this.#now = now;
    this.#since = now();
  }

  /** Returns the current step without counting as an observation. */
  get step(): Step {
    for (;;) {
      const { lasts } = this.#step;
      const ms = lasts !== undefined && 'ms' in lasts ? lasts.ms : Number.POSITIVE_INFINITY;
      if (this.#now() - this.#since < ms || !this.#advance(this.#since + ms)) return this.#step;
    }
  }

  /** Returns the current step, and ends it if this was its last observation. */
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
