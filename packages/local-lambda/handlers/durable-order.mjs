import { setTimeout as sleep } from 'node:timers/promises';
import { withDurableExecution } from '@aws/durable-execution-sdk-js';

// Takes {"orderId": "...", "stepMs": n, "waitSeconds": n}: how long each step and the wait between them take.
// {"fail": true}: the payment is refused. {"retries": n}: it succeeds after n failures, with a second between.
// {"approval": true}: it waits for a callback that never arrives.
export const handler = withDurableExecution(async (event, context) => {
  const { orderId = 'A-1', stepMs = 0, waitSeconds = 1, fail = false, retries = 0, approval = false } = event;

  const order = await context.step('validate-order', async () => {
    await sleep(stepMs);
    return { orderId, total: 42 };
  });

  const payment = await context.step(
    'charge-payment',
    async ({ attempt }) => {
      await sleep(stepMs);
      if (fail || attempt <= retries) throw new Error(`The card of order ${orderId} was declined.`);
      return { paymentId: `P-${order.orderId}`, attempt };
    },
    { retryStrategy: (_error, attempt) => ({ shouldRetry: attempt <= retries, delay: { seconds: 1 } }) },
  );

  await context.wait('settlement', { seconds: waitSeconds });

  if (approval) {
    const [approved] = await context.createCallback('approval');
    await approved;
  }

  return await context.step('ship-order', async () => {
    await sleep(stepMs);
    return { orderId: order.orderId, paymentId: payment.paymentId, status: 'shipped' };
  });
});
