// The functions that the examples invoke, as small as they can be.
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { withDurableExecution } from '@aws/durable-execution-sdk-js';

/** Returns the event. */
export const echo = async (event) => event;

/** A function of a shop. A warm-up takes long enough for all copies to overlap, so that each has its own environment. */
export const shop = async (event) => {
  if (event.action === 'warmup') await sleep(1_000);
  return { ok: true };
};

/** A response as API Gateway wants it: the body is JSON in a string. */
const respond = (statusCode, body) => ({ statusCode, body: JSON.stringify(body) });

/** Routes a request, whose path is in `rawPath` (HTTP API) or `path` (REST API). A warm-up is not a request. */
const route = ({ action, rawPath, path }, status, health) => {
  if (action === 'warmup') return respond(200, { warm: true });
  return (rawPath ?? path) === '/health' ? respond(status, health) : respond(404, { message: 'Not Found' });
};

/** A function behind API Gateway. */
export const api = async (event) => route(event, 200, { ok: true });

/** The same, with a database that can't be reached. */
export const brokenApi = async (event) => route(event, 503, { ok: false });

/** Applies the pending migrations, and logs each. */
export const migrate = async () => {
  const applied = ['0041_add_orders', '0042_index_orders'];
  for (const name of applied) console.log(`applying ${name}`);
  return { applied, version: 42 };
};

/** Greets. */
export const greeting = async ({ name }) => {
  console.log(`Greeting ${name}`);
  return { message: `Hello, ${name}!` };
};

/** Returns what a mobile application sent about itself. */
export const mobileBackend = async ({ screen }, { clientContext }) => ({
  screen,
  client: clientContext.client,
});

/** Finds the next version of a product. */
export const nextRelease = async ({ product }) => ({ product, version: '1.5.0' });

const stock = new Map([['tea', 3]]);

const findStock = (article) => {
  const count = stock.get(article);
  if (count === undefined) throw new RangeError(`no stock is known for "${article}"`);
  return count;
};

const reserve = ({ article, count }) => findStock(article) >= count;

/** Reserves the articles of an order, and fails if it does not know an article. */
export const placeOrder = async ({ order, lines }) => {
  console.log(`placing order ${order}`);
  return { order, accepted: lines.every(reserve) };
};

/** Rolls a release out in three steps, with a wait before the last step. */
export const rollOut = withDurableExecution(async ({ release }, context) => {
  await context.step('canary', async () => release);
  await context.step('half', async () => release);
  await context.wait('watch the alarms', { seconds: 1 });
  return context.step('all', async () => ({ release, share: 1 }));
});

const ORDERS = 200_000;

/** Streams all orders as CSV, some 8 MB, a thousand at a time. */
export const exportOrders = awslambda.streamifyResponse(async (_event, stream) => {
  for (let first = 1; first <= ORDERS; first += 1_000) {
    const lines = Array.from({ length: 1_000 }, (_, at) => `${first + at},2026-01-01T00:00:00.000Z,open,tea`);
    if (!stream.write(`${lines.join('\n')}\n`)) await once(stream, 'drain');
  }
  stream.end();
});

/** Moves the orders of a shop to a new table, a batch each second, and logs each batch. */
export const moveOrders = async ({ batches }) => {
  for (let batch = 1; batch <= batches; batch += 1) {
    await sleep(1_000);
    console.log(`moved batch ${batch} of ${batches}`);
  }
  return { moved: batches * 1_000 };
};
