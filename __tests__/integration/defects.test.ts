import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { type LocalLambda, startLocalLambda, throttle } from '../../packages/local-lambda/server.ts';
import { Clients } from '../../src/lambda/client.ts';
import type { InvocationResult } from '../../src/lambda/invocation.ts';
import { type InvokeContext, invokeEach, type Sending } from '../../src/lambda/invoker.ts';
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

const INVOCATIONS = [0, 1, 2, 3].map((index) => ({
  ...INVOCATION,
  index,
  payload: new TextEncoder().encode(`{"index":${index}}`),
}));

/** Delivers four invocations, two at a time. */
async function deliverFour(
  given: Pick<InvokeContext, 'onWait' | 'onSend'> & Partial<Pick<InvokeContext, 'limiter'>>,
  onEnd: (delivery: InvocationResult) => Promise<void>,
): Promise<void> {
  const clients = new Clients({});
  try {
    await invokeEach(
      INVOCATIONS,
      {
        clients,
        policy: POLICY,
        timing: fakeTiming(),
        limiter: new AdaptiveLimiter(2),
        requestIds: freshIds(),
        cancel: new AbortController().signal,
        ...given,
      },
      onEnd,
    );
  } finally {
    clients.close();
  }
}

const indexOf = (body: unknown): number => JSON.parse(String(body)).index;

describe('a bug in the action', () => {
  test('in one delivery is its outcome, and the other invocations are sent', async () => {
    lambda.setFault(({ body }) =>
      indexOf(body) === 0 ? throttle('ConcurrentInvocationLimitExceeded') : undefined,
    );
    const ended: InvocationResult[] = [];
    const onWait = () => {
      throw new Error('no such line');
    };
    await deliverFour({ onWait }, async (delivery) => {
      ended.push(delivery);
    });
    expect(ended.map(({ invocation }) => invocation.index).toSorted()).toEqual([0, 1, 2, 3]);
    const [defect] = ended.filter(({ result }) => result.kind === 'failure');
    expect(defect).toMatchObject({
      invocation: { index: 0 },
      result: { name: 'InternalError', message: 'no such line', evidence: 'may_have_run', mayClear: false },
    });
    expect(ended.filter(({ result }) => result.kind === 'response')).toHaveLength(3);
  });

  test('in a retry leaves its place to the other invocations', async () => {
    lambda.setFault((_, n) => (n === 0 ? throttle('ConcurrentInvocationLimitExceeded') : undefined));
    let sent = 0;
    const onSend = ({ invocation }: Sending): void => {
      if (invocation.index !== 0) return;
      sent += 1;
      if (sent === 2) throw new Error('no such log');
    };
    const limiter = new AdaptiveLimiter(1);
    const ended: InvocationResult[] = [];
    await deliverFour({ onWait: () => {}, onSend, limiter }, async (delivery) => {
      ended.push(delivery);
    });
    const kinds = ended.map(({ result }) => (result.kind === 'failure' ? result.name : result.kind));
    expect(kinds.toSorted()).toEqual(['InternalError', 'response', 'response', 'response']);
  }, 10_000);

  test('in the handling of an outcome does not stop others, and is thrown at the end', async () => {
    const taken: number[] = [];
    const delivering = deliverFour({ onWait: () => {} }, async ({ invocation: { index } }) => {
      if (index < 2) throw new Error(`no room for ${index}`);
      taken.push(index);
    });
    await expect(delivering).rejects.toThrow(/^2 outcomes were not recorded: no room for [01]$/);
    expect(taken.toSorted()).toEqual([2, 3]);
    expect(lambda.executions('echo')).toHaveLength(4);
  });
});
