/** The permission to send one attempt. It is returned with how the attempt ended. */
export type Permit = Readonly<{ release: (ended: 'throttled' | 'otherwise') => void }>;

type QueuedPermit = Readonly<{ order: number; admit: () => void }>;

/**
 * Bounds the number of concurrent attempts. A throttle halves the bound and each success raises it a little,
 * so that a fan-out settles at what the account allows. What is first in the plan goes first.
 */
export class AdaptiveLimiter {
  /** The highest bound. */
  readonly most: number;
  #bound: number;
  #inFlight = 0;
  // Throttles of attempts that were sent before the bound was last lowered say nothing new.
  #epoch = 0;
  #queue: QueuedPermit[] = [];

  constructor(most: number) {
    this.most = most;
    this.#bound = most;
  }

  /** The current bound. */
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
    this.#inFlight += 1;
    return {
      release: (ended) => {
        if (left) return;
        left = true;
        this.#inFlight -= 1;
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
    while (this.#inFlight < this.limit) {
      const first = this.#queue.shift();
      if (first === undefined) return;
      first.admit();
    }
  }
}
