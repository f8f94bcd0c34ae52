/** The permission to send one attempt. It is returned with how the attempt ended. */
export type Permit = Readonly<{ release: (ended: 'throttled' | 'otherwise') => void }>;

type QueuedPermit = Readonly<{ order: number; admit: () => void }>;

/**
 * Limits the number of concurrent attempts. A throttle halves the limit, and each success raises it a little, so that
 * the concurrency settles at what the account allows. Permits are granted in the order of the plan.
 */
export class AdaptiveLimiter {
  /** The highest limit. */
  readonly most: number;
  #bound: number;
  #running = 0;
  // A throttle lowers the limit only if its attempt was sent after the limit was last lowered.
  #epoch = 0;
  #queue: QueuedPermit[] = [];

  constructor(most: number) {
    this.most = most;
    this.#bound = most;
  }

  /** The current limit. */
  get limit(): number {
    return Math.floor(this.#bound);
  }

  /** Waits for a permit; undefined if `signal` aborts first. Lower orders go first. */
  acquire(order: number, signal: AbortSignal): Promise<Permit | undefined> {
    if (signal.aborted) return Promise.resolve(undefined);
    return new Promise((resolve) => {
      const give = (): void => {
        signal.removeEventListener('abort', refuse);
        resolve(this.#admit());
      };
      const refuse = (): void => {
        this.#queue = this.#queue.filter((other) => other.admit !== give);
        resolve(undefined);
      };
      signal.addEventListener('abort', refuse, { once: true });
      const before = this.#queue.findIndex((other) => other.order > order);
      this.#queue.splice(before === -1 ? this.#queue.length : before, 0, { order, admit: give });
      this.#next();
    });
  }

  #admit(): Permit {
    const epoch = this.#epoch;
    let left = false;
    this.#running += 1;
    return {
      release: (ended) => {
        if (left) return;
        left = true;
        this.#running -= 1;
        if (ended === 'throttled') this.#lower(epoch);
        else this.#bound = Math.min(this.most, this.#bound + 1 / this.#bound);
        this.#next();
      },
    };
  }

  #lower(epoch: number): void {
    if (epoch !== this.#epoch) return;
    this.#epoch += 1;
    this.#bound = Math.max(1, this.#bound / 2);
  }

  #next(): void {
    while (this.#running < this.limit) {
      const first = this.#queue.shift();
      if (first === undefined) return;
      first.admit();
    }
  }
}
