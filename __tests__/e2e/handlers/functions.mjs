import { createHash } from 'node:crypto';
import { existsSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';

/** Logs text that a hostile or careless function might log, then returns it. */
export const hostile = async () => {
  const lines = [
    '::error::x',
    '##[error]x',
    '::add-mask::a',
    '::stop-commands::y',
    '  ::warning::indented',
    'before ##[group]after',
    'carriage\r::error::return',
    '::set-output name=outcome::forged',
  ];
  process.stdout.write(`${lines.join('\n')}\n`);
  return lines.join('\n');
};

/** Throws the same hostile text. */
export const hostileError = async () => {
  throw new Error('boom\n::error::x\r\n##[error]y <img src=x> | `a` @octocat');
};

export const contextOf = async (_event, context) => ({
  clientContext: context.clientContext,
  tenantId: context.tenantId,
});

export const digest = async (event) => ({
  length: event.text.length,
  sha256: createHash('sha256').update(event.text).digest('hex'),
});

const fetchOrder = (id) => {
  throw new TypeError(`order ${id} has no lines`);
};

/** Fails in an inner function, for the frames of its stack. */
export const failing = async (event) => {
  console.log('loading order', event.id);
  return fetchOrder(event.id);
};

/** An exception in the format of the Python runtime. */
export const big = async (event) => 'x'.repeat(event.length);

export const crash = async () => {
  console.log('before the crash');
  process.exit(1);
};

/** Ends when a file is there. */
export const gated = async ({ file }) => {
  while (!existsSync(file)) await new Promise((resolve) => setTimeout(resolve, 10));
  return true;
};

export const slow = async (event) => {
  await new Promise((resolve) => setTimeout(resolve, event.ms ?? 60_000));
  return 'done';
};

/** Creates a symlink while the step waits for the response. */
export const redirect = async ({ link, to }) => {
  symlinkSync(to, link);
  return 'done';
};

/** An API Gateway handler: its body is a JSON string. */
export const api = async ({ status = 200, body = { ok: true } }) => ({
  statusCode: status,
  body: JSON.stringify(body),
});

/** Returns and logs secrets, including multiline ones. */
export const secretive = async (event) => {
  console.log(`token ${event.token}\nkey\n${event.key}`);
  if (event.fail) throw new Error(`bad token ${event.token}`);
  return { token: event.token, pin: event.pin, key: event.key, list: [`prefix-${event.token}-suffix`] };
};

/** 5 MB that cannot be compressed and have no line breaks. */
export const large = async ({ bytes }) => ({ text: 'abcdefgh'.repeat(bytes / 8) });

/** Fails for every event whose `id` is a multiple of `failEvery`. Takes `ms`. */
export const one = async ({ id = 0, failEvery = 0, ms = 0 }) => {
  if (ms > 0) await new Promise((resolve) => setTimeout(resolve, ms));
  if (failEvery > 0 && id % failEvery === 0) throw new RangeError(`id ${id} is not wanted`);
  return { id };
};

/** Returns once the expected number of executions run at the same time. Throws if that does not happen. */
export const meeting = async ({ folder, expected }, { awsRequestId }) => {
  writeFileSync(path.join(folder, awsRequestId), '');
  for (let polls = 0; polls < 1_000; polls += 1) {
    if (readdirSync(folder).length >= expected) return { met: true };
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error(`${readdirSync(folder).length} of ${expected} executions overlap`);
};

/** Streams text that a hostile function might stream. */
export const hostileStream = awslambda.streamifyResponse(async (_event, responseStream) => {
  responseStream.write('::error::x\n##[error]y\n::add-mask::line\n');
  responseStream.write('::stop-commands::z\nrest');
  responseStream.end();
});

/** Streams JSON with the event's token in it. */
export const secretStream = awslambda.streamifyResponse(async ({ token }, responseStream) => {
  responseStream.write('{"token":"');
  responseStream.end(`${token}"}`);
});
