import { spawn } from 'node:child_process';
import { createCipheriv, createHash } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import {
  InvokeCommand,
  type InvokeCommandOutput,
  InvokeWithResponseStreamCommand,
  type InvokeWithResponseStreamCommandInput,
  type InvokeWithResponseStreamCommandOutput,
  type InvokeWithResponseStreamCompleteEvent,
  type LambdaClient,
} from '@aws-sdk/client-lambda';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { SAMPLE_FUNCTIONS } from '../sample-functions.ts';
import { type Denial, type Fault, type LocalLambda, startLocalLambda } from '../server.ts';
import { clientOf, failureOf } from './client.ts';

type Streamed = Readonly<{
  output: InvokeWithResponseStreamCommandOutput;
  chunks: readonly Buffer[];
  text: string;
  complete: InvokeWithResponseStreamCompleteEvent | undefined;
  log: string;
  /** The error that interrupted the stream. */
  error: string | undefined;
}>;

let lambda: LocalLambda;
let client: LambdaClient;
let folder: string;
let denial: Denial | undefined;

function open(
  FunctionName: string,
  event: unknown = {},
  input: Partial<InvokeWithResponseStreamCommandInput> = {},
): Promise<InvokeWithResponseStreamCommandOutput> {
  const Payload = Buffer.from(JSON.stringify(event));
  return client.send(new InvokeWithResponseStreamCommand({ FunctionName, Payload, ...input }));
}

async function read(output: InvokeWithResponseStreamCommandOutput): Promise<Streamed> {
  const chunks: Buffer[] = [];
  let complete: InvokeWithResponseStreamCompleteEvent | undefined;
  let error: string | undefined;
  try {
    for await (const { PayloadChunk, InvokeComplete } of output.EventStream ?? []) {
      if (PayloadChunk?.Payload !== undefined) chunks.push(Buffer.from(PayloadChunk.Payload));
      complete = InvokeComplete ?? complete;
    }
  } catch (reason) {
    error = reason instanceof Error ? reason.message : String(reason);
  }
  const log = Buffer.from(complete?.LogResult ?? '', 'base64').toString('utf8');
  return { output, chunks, text: Buffer.concat(chunks).toString('utf8'), complete, log, error };
}

const stream = async (
  event: unknown,
  input?: Partial<InvokeWithResponseStreamCommandInput>,
): Promise<Streamed> => read(await open('stream', event, input));

const invoke = (FunctionName: string, event: unknown): Promise<InvokeCommandOutput> =>
  client.send(new InvokeCommand({ FunctionName, Payload: JSON.stringify(event), LogType: 'Tail' }));

/** Deploys a streaming handler for one test as the function "own". */
async function deploy(file: string, body: string): Promise<void> {
  const code = `export const handler = awslambda.streamifyResponse(async (event, stream, context) => { ${body} });`;
  await writeFile(
    path.join(folder, file),
    `import { appendFileSync, existsSync, writeFileSync } from 'node:fs';\nimport { once } from 'node:events';\n${code}`,
  );
  lambda.setFunction('own', { handler: `${path.join(folder, file)}.handler`, timeoutSeconds: 60 });
}

/** The output of the sample handler for {"bytes": n}. */
const sampleBytes = (length: number): Buffer =>
  createCipheriv('aes-128-ctr', Buffer.alloc(16), Buffer.alloc(16)).update(Buffer.alloc(length));
const sha256 = (...parts: readonly Buffer[]): string => {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  return hash.digest('hex');
};

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'local-lambda-streams-'));
  lambda = await startLocalLambda({
    functions: {
      ...SAMPLE_FUNCTIONS,
      own: SAMPLE_FUNCTIONS.echo,
      'stream-timeout': { ...SAMPLE_FUNCTIONS.stream, timeoutSeconds: 1 },
    },
    deny: () => denial,
  });
  client = clientOf(lambda);
});

afterAll(async () => {
  client.destroy();
  await lambda.close();
  await rm(folder, { recursive: true });
});

beforeEach(() => {
  lambda.reset();
  denial = undefined;
});

describe('a streamed response', () => {
  test('arrives in chunks, with the headers of the service and the log at its end', async () => {
    const { output, chunks, complete, log } = await stream({ bytes: 300_000 }, { LogType: 'Tail' });
    expect(output.StatusCode).toBe(200);
    expect(output.ExecutedVersion).toBe('$LATEST');
    expect(output.ResponseStreamContentType).toBe('application/vnd.amazon.eventstream');
    expect(chunks.length).toBeGreaterThan(2);
    expect(sha256(...chunks)).toBe(sha256(sampleBytes(300_000)));
    expect(Object.keys(complete ?? {})).toEqual(['LogResult']);
    const { requestId } = output.$metadata;
    expect(log).toMatch(
      new RegExp(
        `START RequestId: ${requestId} Version: \\$LATEST\n.*\twritten\nEND .*\nREPORT RequestId: ${requestId}\t.*\n$`,
        's',
      ),
    );
    expect(lambda.executions('stream').map((execution) => execution.requestId)).toEqual([requestId]);
  });

  test('without a log ends with an empty event, and the next one in the same environment starts fresh', async () => {
    expect(await stream({ lines: 3 })).toMatchObject({ text: 'line 1\nline 2\nline 3\n', complete: {} });
    expect((await stream({ lines: 1 })).text).toBe('line 1\n');
    expect(await stream({})).toMatchObject({ text: '', complete: {}, error: undefined });
    expect(lambda.executions('stream').map(({ coldStart }) => coldStart)).toEqual([false, false, false]);
  });

  test('starts to arrive while the handler still runs', async () => {
    const file = path.join(folder, 'first-arrived');
    await deploy(
      'waits.mjs',
      `stream.write('first');
       while (!existsSync(event.file)) await new Promise((done) => setTimeout(done, 5));
       stream.end('second');`,
    );
    const events = (await open('own', { file })).EventStream?.[Symbol.asyncIterator]();
    const next = async () => {
      const { value } = (await events?.next()) ?? {};
      return Buffer.from(value?.PayloadChunk?.Payload ?? []).toString();
    };
    expect(await next()).toBe('first');
    await writeFile(file, '');
    expect(await next()).toBe('second');
    await lambda.idle();
  });

  test('has a content type, which the handler can set before it writes', async () => {
    const time = new Date().toISOString().replace(/[-:]|\.\d+/g, '');
    const request = async (event: unknown) => {
      const response = await fetch(
        `${lambda.url}/2021-11-15/functions/stream/response-streaming-invocations`,
        {
          method: 'POST',
          headers: {
            'x-amz-date': time,
            authorization: `AWS4-HMAC-SHA256 Credential=AKIA/${time.slice(0, 8)}/us-east-1/lambda/aws4_request, SignedHeaders=host;x-amz-date, Signature=${'a'.repeat(64)}`,
          },
          body: JSON.stringify(event),
        },
      );
      await response.arrayBuffer();
      return response.headers;
    };
    const headers = await request({ bytes: 1 });
    expect(Object.fromEntries(headers)).toMatchObject({
      'content-type': 'application/vnd.amazon.eventstream',
      'transfer-encoding': 'chunked',
      'x-amz-executed-version': '$LATEST',
      'x-amzn-remapped-content-type': 'application/octet-stream',
      'x-amzn-requestid': expect.stringMatching(/^[0-9a-f-]{36}$/),
      'x-amzn-trace-id': expect.stringMatching(/^Root=/),
    });
    expect((await request({ contentType: 'text/csv' })).get('x-amzn-remapped-content-type')).toBe('text/csv');
  });

  test('of a handler that does not stream also arrives in chunks', async () => {
    const { chunks, text, complete } = await read(await open('oversized', { bytes: 200_000 }));
    expect(text).toBe(JSON.stringify('x'.repeat(199_998)));
    expect(chunks.length).toBeGreaterThan(1);
    expect(complete).toEqual({});
  });

  test('can be written with the functions that Lambda gives to handlers', async () => {
    await deploy(
      'tools.mjs',
      `stream = awslambda.HttpResponseStream.from(stream, { statusCode: 201 });
       stream.write({ not: 'a string' });
       try { stream.setContentType('text/plain'); } catch (error) { stream.write(error.message); }
       stream.end();
       return 'ignored';`,
    );
    const { text, log } = await read(await open('own', {}, { LogType: 'Tail' }));
    expect(text).toBe(
      `{"statusCode":201}${'\0'.repeat(8)}{"not":"a string"}Cannot set content-type, too late.`,
    );
    expect(log).toContain('\tWARN\tStreaming handlers ignore return values.\n');
  });
});

describe('an error', () => {
  const details = (errorType: string) => expect.stringContaining(`"errorType":"${errorType}"`);

  test.each([
    ['a throw after some chunks', 'stream', { lines: 2, ending: 'throw' }, 'RangeError', true],
    ['a throw before any', 'stream', { ending: 'throw' }, 'RangeError', true],
    [
      'a response that is destroyed',
      'stream',
      { lines: 2, ending: 'destroy' },
      'Runtime.TruncatedResponse',
      false,
    ],
    [
      'a response that is destroyed before any chunk',
      'stream',
      { ending: 'destroy' },
      'Runtime.TruncatedResponse',
      false,
    ],
    ['a crash after some chunks', 'stream', { lines: 2, ending: 'exit' }, 'Runtime.TruncatedResponse', false],
    ['a timeout after some chunks', 'stream-timeout', { lines: 2, ending: 'hang' }, 'Sandbox.Timeout', false],
  ])('%s', async (_title, name, event, code, hasDetails) => {
    const { text, complete, error } = await read(await open(name, event));
    expect(text).toBe('lines' in event ? 'line 1\nline 2\n' : '');
    expect(complete).toEqual({ ErrorCode: code, ...(hasDetails && { ErrorDetails: details(code) }) });
    expect(error).toBeUndefined();
    expect(lambda.executions(name)).toHaveLength(1);
  });

  // Before the response has started, an error is reported like any other: its payload replaces the response.
  test.each([
    ['a crash', 'stream', { ending: 'exit' }, 'Runtime.ExitError', 1],
    ['a timeout', 'stream-timeout', { ending: 'hang' }, 'Sandbox.Timedout', 1],
    ['a throw in a handler that does not stream', 'throws', {}, 'OrderRejectedError', 1],
    ['a handler that does not load', 'missing-module', {}, 'Runtime.ImportModuleError', 0],
  ])('%s before any chunk', async (_title, name, event, code, executions) => {
    const { text, complete } = await read(await open(name, event));
    expect(complete).toEqual({ ErrorCode: code, ErrorDetails: text });
    expect(JSON.parse(text)).toMatchObject({ errorType: code });
    expect(lambda.executions(name)).toHaveLength(executions);
  });

  test('is in the log, and ends the environment only if the process ends', async () => {
    await stream({});
    lambda.reset();
    const thrown = await stream({ ending: 'throw' }, { LogType: 'Tail' });
    expect(thrown.log).toMatch(/\tERROR\tInvoke Error \t\{"errorType":"RangeError"/);
    expect((await stream({ ending: 'destroy' }, { LogType: 'Tail' })).log).toMatch(
      /Response stream is not finished\..*\tStatus: error\tError Type: Runtime\.TruncatedResponse\t\n$/s,
    );
    expect((await stream({ lines: 1, ending: 'exit' }, { LogType: 'Tail' })).log).toMatch(
      /exit status 3\n.*\tStatus: error\tError Type: Runtime\.ExitError\t\n$/s,
    );
    await stream({});
    expect(lambda.executions('stream').map(({ coldStart }) => coldStart)).toEqual([
      false,
      false,
      false,
      true,
    ]);
  });

  test('after the end is only in the log, but an uncaught one interrupts the response', async () => {
    await deploy('late.mjs', `stream.end('all'); throw new Error('late');`);
    const late = await read(await open('own', {}, { LogType: 'Tail' }));
    expect(late.text).toBe('all');
    expect(late.complete?.ErrorCode).toBeUndefined();
    expect(late.log).toContain('"errorMessage":"late"');
    await deploy(
      'uncaught.mjs',
      `stream.write('some'); setTimeout(() => { throw new Error('stray'); }, 20);`,
    );
    const uncaught = await read(await open('own', {}, { LogType: 'Tail' }));
    expect(uncaught).toMatchObject({
      text: 'some',
      complete: { ErrorCode: 'Runtime.TruncatedResponse' },
      log: expect.stringContaining('"errorMessage":"stray"'),
    });
  });

  test('occurs if a streaming handler is not asynchronous', async () => {
    const handler = path.join(folder, 'synchronous.mjs');
    await writeFile(handler, 'export const handler = awslambda.streamifyResponse(() => 1);');
    lambda.setFunction('own', { handler: `${handler}.handler` });
    expect((await read(await open('own'))).complete?.ErrorDetails).toContain(
      'Streaming does not support non-async handlers.',
    );
  });

  test('of the service itself is the same as for Invoke', async () => {
    expect(await failureOf(open('nope'))).toMatchObject({ name: 'ResourceNotFoundException' });
    expect(await failureOf(open('throttled'))).toMatchObject({
      name: 'TooManyRequestsException',
      Reason: 'ReservedFunctionConcurrentInvocationLimitExceeded',
    });
    lambda.setFunction('own', { ...SAMPLE_FUNCTIONS.stream, states: [{ state: 'Pending' }] });
    expect(await failureOf(open('own'))).toMatchObject({ name: 'ResourceConflictException' });
    const unreadable = await failureOf(open('stream', {}, { Payload: Buffer.from('{') }));
    expect(unreadable.name).toBe('InvalidRequestContentException');
    denial = { kind: 'no-identity-policy' };
    expect((await failureOf(open('stream'))).message).toMatch(
      /not authorized to perform: lambda:InvokeFunction on resource: .*:function:stream because/,
    );
    expect(lambda.executions()).toEqual([]);
  });
});

describe('the invocation type', () => {
  test('DryRun has no body and runs nothing, and Event is rejected', async () => {
    const output = await open('stream', { lines: 1 }, { InvocationType: 'DryRun' });
    expect(output.StatusCode).toBe(204);
    expect((await read(output)).chunks).toEqual([]);
    const error = await failureOf(open('stream', {}, { InvocationType: JSON.parse('"Event"') }));
    expect(error.name).toBe('ValidationException');
    expect(error.message).toContain('Member must satisfy enum value set: [RequestResponse, DryRun]');
    await lambda.idle();
    expect(lambda.executions()).toEqual([]);
    expect(lambda.requests).toHaveLength(2);
  });

  test('Invoke buffers the response of a streaming handler', async () => {
    const output = await invoke('stream', { lines: 2 });
    expect(output.Payload?.transformToString()).toBe('line 1\nline 2\n');
    expect(output.FunctionError).toBeUndefined();
    expect(Buffer.from(output.LogResult ?? '', 'base64').toString()).toContain('\twritten\n');
    const largest = await invoke('stream', { bytes: 6_291_556 });
    expect(sha256(Buffer.from(largest.Payload ?? []))).toBe(sha256(sampleBytes(6_291_556)));
    expect(await invoke('stream', { bytes: 6_291_557 })).toMatchObject({ FunctionError: 'Unhandled' });
    const thrown = await invoke('stream', { lines: 2, ending: 'throw' });
    expect(thrown.FunctionError).toBe('Unhandled');
    expect(JSON.parse(thrown.Payload?.transformToString() ?? '')).toMatchObject({ errorType: 'RangeError' });
    await client.send(
      new InvokeCommand({ FunctionName: 'stream', InvocationType: 'Event', Payload: '{"lines":1}' }),
    );
    await lambda.idle();
    expect(lambda.executions('stream')).toHaveLength(5);
  });
});

test('the recorded rules ignore the type and report no error', async () => {
  const recorded = await startLocalLambda({ functions: SAMPLE_FUNCTIONS, streaming: 'recorded' });
  const documented = client;
  client = clientOf(recorded);
  try {
    expect((await stream({ lines: 1 }, { InvocationType: 'DryRun' })).text).toBe('line 1\n');
    expect((await stream({ lines: 1 }, { InvocationType: JSON.parse('"Event"') })).text).toBe('line 1\n');
    const thrown = await stream({ lines: 2, ending: 'throw' }, { LogType: 'Tail' });
    expect(thrown.text).toBe('line 1\nline 2\n');
    expect(Object.keys(thrown.complete ?? {})).toEqual(['LogResult']);
    expect(thrown.log).toContain('"errorMessage":"The stream failed"');
    const buffered = await invoke('stream', { lines: 2, ending: 'throw' });
    expect(buffered.FunctionError).toBeUndefined();
    expect(buffered.Payload?.transformToString()).toBe('line 1\nline 2\n');
    expect((await invoke('throws', {})).FunctionError).toBe('Unhandled');
    expect((await invoke('stream', { bytes: 6_291_557 })).FunctionError).toBe('Unhandled');
    expect(recorded.executions('stream')).toHaveLength(5);
  } finally {
    client.destroy();
    client = documented;
    await recorded.close();
  }
});

describe('the client', () => {
  /** Resolves with the content of a file once it has stopped changing for a while. */
  async function settled(file: string): Promise<number> {
    const value = async () => Number(await readFile(file, 'utf8').catch(() => '0'));
    for (let before = -1, now = await value(); ; before = now, now = await value()) {
      if (now > 0 && now === before) return now;
      await sleep(300);
    }
  }

  test('that reads slowly slows the handler down', async () => {
    const file = path.join(folder, 'progress');
    await deploy(
      'progress.mjs',
      `for (let mb = 1; mb <= 100; mb++) {
         if (!stream.write(Buffer.alloc(1e6))) await once(stream, 'drain');
         writeFileSync(event.file, String(mb));
       }
       stream.end();`,
    );
    const output = await open('own', { file });
    // Two pipes, two sockets and their buffers can hold a few megabytes.
    expect(await settled(file)).toBeLessThan(30);
    const { chunks, complete } = await read(output);
    expect(chunks.reduce((sum, { length }) => sum + length, 0)).toBe(100e6);
    expect(complete).toEqual({});
    expect(await readFile(file, 'utf8')).toBe('100');
  });

  test('that disconnects does not stop the handler and leaves no data for the next response', async () => {
    const file = path.join(folder, 'done');
    await deploy(
      'goes.mjs',
      `for (let mb = 0; mb < (event.mb ?? 0); mb++) {
         if (!stream.write(Buffer.alloc(1e6, 'a'))) await once(stream, 'drain');
       }
       stream.end('end');
       appendFileSync(event.file, 'done ');`,
    );
    const abort = new AbortController();
    const command = new InvokeWithResponseStreamCommand({
      FunctionName: 'own',
      Payload: Buffer.from(JSON.stringify({ mb: 30, file })),
    });
    const output = await client.send(command, { abortSignal: abort.signal });
    for await (const _event of output.EventStream ?? []) break;
    abort.abort();
    await lambda.idle();
    expect(await readFile(file, 'utf8')).toBe('done ');
    expect((await read(await open('own', { file }))).text).toBe('end');
    expect(lambda.executions('own').map(({ coldStart }) => coldStart)).toEqual([true, false]);
  });
});

describe('faults', () => {
  const nextHas = (fault: Fault) => lambda.setFault((_request, n) => (n === 0 ? fault : undefined));
  const count = () => lambda.executions('stream').length;
  const whole = { bytes: 200_000 };

  test.each([
    ['close', /aborted|ECONNRESET/],
    ['reset', /aborted|ECONNRESET/],
    ['complete', /Truncated event message/],
  ] as const)('a truncated body: %s', async (cut, message) => {
    nextHas({ kind: 'truncate', bytes: 100_000, cut });
    const { chunks, complete, error } = await stream(whole);
    expect(error).toMatch(message);
    expect(complete).toBeUndefined();
    const received = Buffer.concat(chunks);
    expect(received.length).toBeLessThan(100_000);
    expect(received.equals(sampleBytes(200_000).subarray(0, received.length))).toBe(true);
    // The client discards unread data when a connection breaks.
    if (cut === 'complete') expect(received.length).toBeGreaterThan(0);
    await lambda.idle();
    expect(count()).toBe(1);
    expect((await stream({ lines: 1 })).text).toBe('line 1\n');
  });

  test('a stream that stalls in the middle', async () => {
    nextHas({ kind: 'truncate', bytes: 100_000, cut: 'stall' });
    const abort = new AbortController();
    const command = new InvokeWithResponseStreamCommand({
      FunctionName: 'stream',
      Payload: Buffer.from(JSON.stringify(whole)),
    });
    const output = await client.send(command, { abortSignal: abort.signal });
    let received = 0;
    const reading = async () => {
      for await (const event of output.EventStream ?? []) {
        expect(event.InvokeComplete).toBeUndefined();
        if (received === 0) setTimeout(() => abort.abort(), 100);
        received += event.PayloadChunk?.Payload?.length ?? 0;
      }
    };
    await expect(reading()).rejects.toThrow();
    expect(received).toBeGreaterThan(0);
    expect(received).toBeLessThan(100_000);
    await lambda.idle();
    expect(count()).toBe(1);
  });

  test('a stream without its last event', async () => {
    nextHas({ kind: 'omit-invoke-complete' });
    const { chunks, complete, error } = await stream(whole);
    expect(sha256(...chunks)).toBe(sha256(sampleBytes(200_000)));
    expect(complete).toBeUndefined();
    expect(error).toBeUndefined();
  });

  test('a slow and a delayed stream', async () => {
    nextHas({ kind: 'slow-body', chunkBytes: 100, delayMs: 40 });
    const startedAt = performance.now();
    expect((await stream({ lines: 1 })).text).toBe('line 1\n');
    expect(performance.now() - startedAt).toBeGreaterThanOrEqual(75);
    nextHas({ kind: 'delay', when: 'after', ms: 100 });
    const againAt = performance.now();
    expect((await stream({ lines: 1 })).text).toBe('line 1\n');
    expect(performance.now() - againAt).toBeGreaterThanOrEqual(95);
  });

  test.each([
    ['before', 0],
    ['after', 1],
  ] as const)('a reset or an error instead of a stream, %s the handler', async (when, executions) => {
    nextHas({ kind: 'reset', when });
    await expect(stream(whole)).rejects.toThrow(/ECONNRESET/);
    await lambda.idle();
    expect(count()).toBe(executions);
    nextHas({ kind: 'error', when, status: 500, type: 'ServiceException', message: 'Sorry' });
    expect(await failureOf(stream(whole))).toMatchObject({ name: 'ServiceException', message: 'Sorry' });
    expect(count()).toBe(2 * executions);
  });

  test('can be set by operation', async () => {
    lambda.setFault(({ operation, invocationType }) =>
      operation === 'InvokeWithResponseStream' && invocationType === 'RequestResponse'
        ? { kind: 'close', when: 'before' }
        : undefined,
    );
    await expect(stream({})).rejects.toThrow();
    expect((await invoke('stream', { lines: 1 })).Payload?.transformToString()).toBe('line 1\n');
  });
});

describe('size', () => {
  const MOST = 209_715_200;

  /** The sample functions in a separate process, so that its memory can be measured. */
  async function withCommand(body: (pid: number) => Promise<void>): Promise<void> {
    const main = fileURLToPath(new URL('../main.ts', import.meta.url));
    const server = spawn(process.execPath, [main], { stdio: ['ignore', 'pipe', 'inherit'] });
    const ended = once(server, 'exit');
    const shared = client;
    try {
      let printed = '';
      for await (const chunk of server.stdout) {
        printed += chunk;
        if (printed.includes('AWS_SECRET_ACCESS_KEY')) break;
      }
      client = clientOf({ url: /http:\/\/127\.0\.0\.1:\d+/.exec(printed)?.[0] ?? '', region: 'us-east-1' });
      await body(server.pid ?? 0);
    } finally {
      if (client !== shared) client.destroy();
      client = shared;
      server.kill('SIGTERM');
      await ended;
    }
  }

  test('200 MB are streamed in little memory, and not one byte more', async () => {
    await withCommand(async (pid) => {
      const hash = createHash('sha256');
      let length = 0;
      const output = await open('stream', { bytes: MOST }, { LogType: 'Tail' });
      let complete: InvokeWithResponseStreamCompleteEvent | undefined;
      for await (const { PayloadChunk, InvokeComplete } of output.EventStream ?? []) {
        hash.update(PayloadChunk?.Payload ?? '');
        length += PayloadChunk?.Payload?.length ?? 0;
        complete = InvokeComplete;
      }
      expect(length).toBe(MOST);
      expect(hash.digest('hex')).toBe(sha256(sampleBytes(MOST)));
      expect(complete?.ErrorCode).toBeUndefined();
      const log = Buffer.from(complete?.LogResult ?? '', 'base64').toString('utf8');
      expect(Number(/Max Memory Used: (\d+) MB/.exec(log)?.[1])).toBeLessThan(150);
      if (process.platform === 'linux') {
        const status = readFileSync(`/proc/${pid}/status`, 'latin1');
        expect(Number(/^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1]) / 1024).toBeLessThan(200);
      }
      let tooMany = 0;
      for await (const event of (await open('stream', { bytes: MOST + 1_000_000 })).EventStream ?? []) {
        tooMany += event.PayloadChunk?.Payload?.length ?? 0;
        complete = event.InvokeComplete;
      }
      expect(tooMany).toBe(MOST + 1);
      expect(complete).toEqual({ ErrorCode: 'Function.ResponseSizeTooLarge' });
    });
  }, 120_000);
});
