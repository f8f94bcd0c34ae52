/** The reason of a throttled invocation, as the service words it. */
export type ThrottleReason =
  | 'ConcurrentInvocationLimitExceeded'
  | 'ReservedFunctionConcurrentInvocationLimitExceeded';

/** Counts running invocations, for the account and for each function. */
export class Capacity {
  readonly #accountLimit: number;
  readonly #running = new Map<string, number>();
  #total = 0;
  #whenReleased: (() => void)[] = [];

  constructor(accountLimit: number) {
    this.#accountLimit = accountLimit;
  }

  get total(): number {
    return this.#total;
  }

  /** Says why there is no slot now, if so. */
  refusal(functionName: string, reserved: number | undefined): ThrottleReason | undefined {
    const running = this.#running.get(functionName) ?? 0;
    if (reserved !== undefined && running >= reserved) {
      return 'ReservedFunctionConcurrentInvocationLimitExceeded';
    }
    return this.#total >= this.#accountLimit ? 'ConcurrentInvocationLimitExceeded' : undefined;
  }

  /** Takes one slot, or says why there is none. */
  acquire(functionName: string, reserved: number | undefined): ThrottleReason | undefined {
    const refusal = this.refusal(functionName, reserved);
    if (refusal !== undefined) return refusal;
    this.#running.set(functionName, (this.#running.get(functionName) ?? 0) + 1);
    this.#total += 1;
    return undefined;
  }

  release(functionName: string): void {
    this.#running.set(functionName, (this.#running.get(functionName) ?? 1) - 1);
    this.#total -= 1;
    this.wake();
  }

  /** Resolves when a slot has been given back, or the limits may have changed. */
  released(): Promise<void> {
    return new Promise((resolve) => this.#whenReleased.push(resolve));
  }

  /** Lets everybody who waits look again. */
  wake(): void {
    const waiting = this.#whenReleased;
    this.#whenReleased = [];
    for (const resolve of waiting) resolve();
  }
}
