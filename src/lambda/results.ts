import type { Invocation, InvocationResult } from './invocation.ts';
import { type InvokeContext, invokeEach } from './invoker.ts';

/** Results on their way from the invocations that end to the one reader that handles them. */
class ResultQueue {
  readonly #waiting: Readonly<{ result: InvocationResult; handled: () => void }>[] = [];
  #hasEnded = false;
  #wake = (): void => {};

  /** Resolves when the result has been handled. */
  add(result: InvocationResult): Promise<void> {
    return new Promise((handled) => {
      this.#waiting.push({ result, handled });
      this.#wake();
    });
  }

  end(): void {
    this.#hasEnded = true;
    this.#wake();
  }

  /** Yields each result; one counts as handled when the next is asked for. */
  async *results(): AsyncGenerator<InvocationResult, void> {
    for (;;) {
      const next = this.#waiting.shift();
      if (next !== undefined) {
        yield next.result;
        next.handled();
      } else if (this.#hasEnded) return;
      else
        await new Promise<void>((wake) => {
          this.#wake = wake;
        });
    }
  }
}

/** Invokes everything, and yields each result the moment its invocation ends. */
export async function* invokeAll(
  invocations: Iterable<Invocation>,
  context: InvokeContext,
): AsyncGenerator<InvocationResult, void> {
  const queue = new ResultQueue();
  const all = invokeEach(invocations, context, (result) => queue.add(result)).finally(() => queue.end());
  // It is awaited below, when every result has been handled.
  all.catch(() => {});
  yield* queue.results();
  await all;
}
