import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { type LocalLambda, startLocalLambda } from '../../packages/local-lambda/server.ts';
import { Clients } from '../../src/lambda/client.ts';
import { type InvokeContext, invokeAll } from '../../src/lambda/invoker.ts';
import { AdaptiveLimiter } from '../../src/lambda/limiter.ts';
import { ECHO, fakeTiming, freshIds, INVOCATION, POLICY, useLambda } from './invoke-context.ts';

let lambda: LocalLambda;
let undo: () => void;

beforeAll(async () => {
  lambda = await startLocalLambda({ functions: { echo: { handler: ECHO } } });
});
beforeEach(() => {
  lambda.reset();
  undo = useLambda(lambda.url);
});
afterEach(() => undo());
afterAll(() => lambda.close());

const INVOCATIONS = [0, 1, 2, 3, 4].map((index) => ({ ...INVOCATION, index }));

/** The indexes of the deliveries, each handled by `handle`. */
async function yielded(
  given: Partial<InvokeContext>,
  handle: (index: number) => Promise<void> | void = () => {},
): Promise<number[]> {
  const clients = new Clients({});
  const context = {
    clients,
    policy: POLICY,
    timing: fakeTiming(),
    limiter: new AdaptiveLimiter(2),
    requestIds: freshIds(),
    cancel: new AbortController().signal,
    onWait: () => {},
    ...given,
  };
  const indexes: number[] = [];
  try {
    for await (const { invocation } of invokeAll(INVOCATIONS, context)) {
      await handle(invocation.index);
      indexes.push(invocation.index);
    }
  } finally {
    clients.close();
  }
  return indexes;
}

describe('the deliveries of several invocations', () => {
  test('are returned one by one before the others are sent', async () => {
    const sent: number[] = [];
    const indexes = await yielded({ limiter: new AdaptiveLimiter(1) }, () => {
      sent.push(lambda.requests.length);
    });
    expect(indexes).toEqual([0, 1, 2, 3, 4]);
    expect(sent[0]).toBeLessThan(5);
  });

  test('are all returned once, however slow the reader is', async () => {
    let readers = 0;
    const indexes = await yielded({}, async () => {
      readers += 1;
      expect(readers).toBe(1);
      await new Promise((resolve) => setTimeout(resolve, 5));
      readers -= 1;
    });
    expect(indexes.toSorted()).toEqual([0, 1, 2, 3, 4]);
    expect(lambda.requests).toHaveLength(5);
  });

  test('have been handled when the context reports that all have ended', async () => {
    const order: string[] = [];
    await yielded({ onAllEnded: () => order.push('all') }, async (index) => {
      await new Promise((resolve) => setImmediate(resolve));
      order.push(String(index));
    });
    expect(order.at(-1)).toBe('all');
    expect(order).toHaveLength(6);
  });

  test('end with the error of a shared resource', async () => {
    const broken = () => {
      throw new Error('broken');
    };
    await expect(yielded({ onAllEnded: broken })).rejects.toThrow('broken');
  });
});
