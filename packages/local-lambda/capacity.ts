/** Why an invocation was throttled, in the service's words. */
export type ThrottleReason =
  | 'ConcurrentInvocationLimitExceeded'
  | 'ReservedFunctionConcurrentInvocationLimitExceeded';

/** Counts the running invocations of the account and of each function. */
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

  /** Returns the reason if no slot is free. */
  refusal(functionName: string, reserved: number | undefined): ThrottleReason | undefined {
    const running = this.#running.get(functionName) ?? 0;
    if (reserved !== undefined && running >= reserved) {
      return 'ReservedFunctionConcurrentInvocationLimitExceeded';
    }
    return this.#total >= this.#accountLimit ? 'ConcurrentInvocationLimitExceeded' : undefined;
  }

  /** Takes a slot, or returns the reason if none is free. */
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

  /** Resolves when a slot is released or the limits may have changed. */
  released(): Promise<void> {
    return new Promise((resolve) => this.#whenReleased.push(resolve));
  }

  /** Wakes all waiters so that they check again. */
  wake(): void {
    const waiting = this.#whenReleased;
    this.#whenReleased = [];
    for (const resolve of waiting) resolve();
  }
}
