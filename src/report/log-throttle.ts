import { info } from '@actions/core';
import type { MaskedEvaluation } from '../outcome/masks.ts';
import { progressLine } from './log.ts';

// A thousand invocations that are throttled now and then have each line; fifty thousand would write 48 MB.
const MOST_LINES = 2_000;
const EVERY_MS = 1_000;
// A kind may have an error's name in it, and whoever responds may make up one after the other.
const MOST_KINDS = 10;

/** Writes the lines of invocations in progress: the first 2,000 one by one, from then on counts, once a second. */
export class LogThrottle {
  readonly #total: number;
  readonly #now: () => number;
  #written = 0;
  #ended = 0;
  /** When counts were written last; undefined while each line is. */
  #countedAt: number | undefined;
  readonly #counts = new Map<string, number>();

  /** @param plan how many invocations there will be, and the time in milliseconds */
  constructor({ total, now }: Readonly<{ total: number; now: () => number }>) {
    this.#total = total;
    this.#now = now;
  }

  /** Writes that one of many invocations has ended. A single one has a log of its own. */
  end(masked: MaskedEvaluation): void {
    this.#ended += 1;
    const ended = this.#ended;
    if (this.#total === 1) return;
    this.write(masked.outcome.outcome.replaceAll('_', ' '), () =>
      info(progressLine(masked, ended, this.#total)),
    );
  }

  /** Writes a line, or counts it as one of its kind. */
  write(kind: string, line: () => void): void {
    if (this.#countedAt === undefined) {
      this.#written += 1;
      if (this.#written <= MOST_LINES) {
        line();
        return;
      }
      info(`${MOST_LINES} lines are written. From here the log has one line a second, with counts.`);
      this.#countedAt = this.#now();
    }
    const counted = this.#counts.has(kind) || this.#counts.size < MOST_KINDS ? kind : 'other';
    this.#counts.set(counted, (this.#counts.get(counted) ?? 0) + 1);
    if (this.#now() - this.#countedAt >= EVERY_MS) this.flush();
  }

  /** Writes what was counted and not yet written. */
  flush(): void {
    if (this.#counts.size === 0) return;
    const counts = [...this.#counts].map(([kind, count]) => `${count} ${kind}`).join(', ');
    info(`${this.#ended}/${this.#total} ended. Since the last line: ${counts}.`);
    this.#counts.clear();
    this.#countedAt = this.#now();
  }
}
