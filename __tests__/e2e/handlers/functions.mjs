import { createHash } from 'node:crypto';
import { existsSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';

/** Logs what a hostile or careless function might, then answers with the same. */
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

/** Fails in a function of its own, for the frames of its stack. */
export const failing = async (event) => {
  console.log('loading order', event.id);
  return fetchOrder(event.id);
};

/** The shape in which the Python runtime reports an exception. */
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

/** Makes a symlink while the step waits for the response. */
export const redirect = async ({ link, to }) => {
  symlinkSync(to, link);
  return 'done';
};

/** An API Gateway handler: its body is JSON in a string. */
export const api = async ({ status = 200, body = { ok: true } }) => ({
  statusCode: status,
  body: JSON.stringify(body),
});

/** Answers with secrets, and logs them, in several lines too. */
export const secretive = async (event) => {
  console.log(`token ${event.token}\nkey\n${event.key}`);
  if (event.fail) throw new Error(`bad token ${event.token}`);
  return { token: event.token, pin: event.pin, key: event.key, list: [`prefix-${event.token}-suffix`] };
};

/** 5 MB that no compression helps with and no line break cuts. */
export const large = async ({ bytes }) => ({ text: 'abcdefgh'.repeat(bytes / 8) });

/** Fails for every event whose id is a multiple of `failEvery`; takes `ms`. */
export const one = async ({ id = 0, failEvery = 0, ms = 0 }) => {
  if (ms > 0) await new Promise((resolve) => setTimeout(resolve, ms));
  if (failEvery > 0 && id % failEvery === 0) throw new RangeError(`id ${id} is not wanted`);
  return { id };
};

/** Ends once as many executions as are expected are in progress at the same time; throws where they never are. */
export const meeting = async ({ folder, expected }, { awsRequestId }) => {
  writeFileSync(path.join(folder, awsRequestId), '');
  for (let polls = 0; polls < 1_000; polls += 1) {
    if (readdirSync(folder).length >= expected) return { met: true };
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error(`${readdirSync(folder).length} of ${expected} executions overlap`);
};

/** Streams what a hostile function might. */
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
