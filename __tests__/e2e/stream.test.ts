import { createCipheriv, createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { invokeComplete, payloadChunk } from '../../packages/local-lambda/event-stream.ts';
import { SAMPLE_FUNCTIONS } from '../../packages/local-lambda/sample-functions.ts';
import { type Fault, type LocalLambda, startLocalLambda } from '../../packages/local-lambda/server.ts';
import { startRawServer } from '../raw-server.ts';
import { signalTest } from '../signals.ts';
import { followPeak } from './peak-memory.ts';
import { HANDLERS, type InvokeStep, invokeStep, jobEnvironment } from './step.ts';

let lambda: LocalLambda;

beforeAll(async () => {
  lambda = await startLocalLambda({
    functions: {
      stream: SAMPLE_FUNCTIONS.stream,
      big: { handler: `${HANDLERS}.big` },
      'hostile-stream': { handler: `${HANDLERS}.hostileStream` },
      'secret-stream': { handler: `${HANDLERS}.secretStream` },
    },
  });
});
beforeEach(() => lambda.reset());
afterAll(() => lambda.close());

const MB = 1_000_000;
const texts = (step: { lines: readonly { text: string }[] }): string[] => step.lines.map(({ text }) => text);
const operations = (): (string | undefined)[] => lambda.requests.map(({ operation }) => operation);

/** The SHA-256 of the sample's stream, in hex. */
function expectedSha256(bytes: number): string {
  const cipher = createCipheriv('aes-128-ctr', Buffer.alloc(16), Buffer.alloc(16));
  return createHash('sha256')
    .update(cipher.update(Buffer.alloc(bytes)))
    .digest('hex');
}
const sha256 = (content: Uint8Array): string => createHash('sha256').update(content).digest('hex');

type Streamed = InvokeStep &
  Readonly<{ file: Buffer | undefined; partial: Buffer | undefined; peakMb: number }>;

/** Runs a step that streams into out/response.bin, and reads that file. */
async function streamStep(event: unknown, inputs: Readonly<Record<string, string>> = {}): Promise<Streamed> {
  let peak = (): number => 0;
  let [file, partial]: (Buffer | undefined)[] = [];
  const step = await invokeStep(
    lambda,
    {
      function_name: 'stream',
      payload: JSON.stringify(event),
      response_stream: 'true',
      response_file: 'out/response.bin',
      ...inputs,
    },
    {
      onStart: (child, workspace) => {
        peak = followPeak(child);
        child.once('exit', () => {
          const out = path.join(workspace, 'out');
          for (const name of existsSync(out) ? readdirSync(out) : []) {
            const content = readFileSync(path.join(out, name));
            if (name === 'response.bin') file = content;
            else if (/^response\.bin\.\w+\.partial$/.test(name)) partial = content;
            else throw new Error(`unexpected file: ${name}`);
          }
        });
      },
    },
  );
  return { ...step, file, partial, peakMb: peak() };
}

describe('a stream', () => {
  test('of 50 MB is saved with the correct SHA-256 in little memory', async () => {
    const step = await streamStep({ bytes: 50 * MB }, { log_type: 'Tail' });
    expect(step.exitCode).toBe(0);
    expect(sha256(step.file ?? Buffer.alloc(0))).toBe(expectedSha256(50 * MB));
    expect(step.partial).toBeUndefined();
    expect(step.outputs).toMatchObject({
      outcome: 'succeeded',
      status_code: '200',
      response: '',
      response_file: expect.stringMatching(/[/\\]out[/\\]response\.bin$/),
      executed_version: '$LATEST',
      log_result: expect.stringContaining('written'),
      duration_ms: expect.stringMatching(/^[\d.]+$/),
      attempts: '1',
    });
    expect(texts(step)).toContain('stream succeeded (status: 200, response: 50,000,000 bytes)');
    expect(texts(step)).toContain(`Response saved to ${step.outputs['response_file']}`);
    expect(step.annotations).toEqual([]);
    expect(step.peakMb).toBeLessThan(150);
    expect(operations()).toEqual(['InvokeWithResponseStream']);
    expect(lambda.executions('stream')).toHaveLength(1);
  });

  test('of 200 MB uses no more memory', async () => {
    const step = await streamStep({ bytes: 200 * MB });
    expect(step.exitCode).toBe(0);
    expect(step.file).toHaveLength(200 * MB);
    expect(step.peakMb).toBeLessThan(150);
  }, 60_000);

  test('of a few bytes is also an output, and a response for expectations', async () => {
    const step = await streamStep({ lines: 2 }, { expect: 'response == `"line 1\\nline 2\\n"`' });
    expect(step.exitCode).toBe(0);
    expect(step.outputs['response']).toBe('line 1\nline 2\n');
    expect(String(step.file)).toBe('line 1\nline 2\n');
    expect(step.annotations).toEqual([]);
  });

  test("is saved in the job's own folder by default", async () => {
    const step = await streamStep({ bytes: 10 }, { response_file: '' });
    expect(step.exitCode).toBe(0);
    expect(step.outputs['response_file']).toMatch(/[/\\]temp[/\\]lambda-invoke-.*[/\\]response$/);
  });

  test('of a handler that does not stream is its response', async () => {
    const step = await streamStep({ length: 3 }, { function_name: 'big' });
    expect(step.outputs).toMatchObject({ outcome: 'succeeded', response: '"xxx"' });
  });

  test('that is empty creates no file', async () => {
    const step = await streamStep({});
    expect(step.outputs).toMatchObject({ outcome: 'succeeded', response: '', response_file: '' });
    expect([step.file, step.partial]).toEqual([undefined, undefined]);
  });
});

describe('text', () => {
  signalTest('that arrives in lines is shown as it arrives', async () => {
    const seen: string[] = [];
    const step = await invokeStep(
      lambda,
      {
        function_name: 'stream',
        payload: '{"lines":3,"ending":"hang"}',
        response_stream: 'true',
        show_response: 'true',
      },
      {
        onStart: (child) => {
          child.stdout?.on('data', (chunk) => {
            seen.push(String(chunk));
            // The function never ends, so the third line was shown before its end.
            if (seen.join('').includes('line 3\n')) child.kill('SIGINT');
          });
        },
      },
    );
    expect(step.outputs['outcome']).toBe('unknown');
    expect(texts(step)).toEqual(expect.arrayContaining(['line 1', 'line 2', 'line 3']));
    expect(step.annotations[0]?.message).toContain('21 bytes of the stream were received');
  });

  test('is shown once, and only with show_response', async () => {
    const shown = await streamStep({ lines: 2 }, { show_response: 'true' });
    expect(texts(shown).filter((text) => text.startsWith('line '))).toEqual(['line 1', 'line 2']);
    expect(texts(shown)).not.toContain('Response');
    const hidden = await streamStep({ lines: 2 });
    expect(hidden.stdout).not.toContain('line 1');
  });

  test('is fenced, so that nothing in it is a command', async () => {
    const step = await streamStep({}, { function_name: 'hostile-stream', show_response: 'true' });
    expect(step.exitCode).toBe(0);
    expect(texts(step)).toEqual(expect.arrayContaining(['::error::x', '##[error]y', '::add-mask::line']));
    expect(step.annotations).toEqual([]);
    expect(step.masks).toEqual([]);
  });

  test('with a credential of the step is shown as it arrives, without it', async () => {
    const { AWS_SECRET_ACCESS_KEY: token = '' } = jobEnvironment(lambda);
    const step = await streamStep({ token }, { function_name: 'secret-stream', show_response: 'true' });
    expect(step.exitCode).toBe(0);
    expect(step.stdout).not.toContain(token);
    expect(texts(step)).not.toContain('Response');
    expect(texts(step)).toContain('{"token":"***"}');
    expect(step.outputs['response']).toBe(JSON.stringify({ token }));
  });

  test('with a mask is shown at the end, masked', async () => {
    const step = await streamStep(
      { token: 'hunter2-and-more' },
      { function_name: 'secret-stream', show_response: 'true', mask: 'response.token' },
    );
    expect(step.exitCode).toBe(0);
    expect(step.stdout.replace('::add-mask::hunter2-and-more', '')).not.toContain('hunter2');
    expect(texts(step)).toContain('Response');
    expect(texts(step)).toContain('{"token":"***"}');
    expect(step.outputs['response']).toBe('{"token":"hunter2-and-more"}');
  });
});

describe('an error in the middle', () => {
  test('is a function error, and the received data is kept', async () => {
    const step = await streamStep({ lines: 2, ending: 'throw' }, { log_type: 'Tail' });
    expect(step.exitCode).toBe(1);
    expect(step.outputs).toMatchObject({
      outcome: 'function_error',
      function_error: expect.stringMatching(/^\S+$/),
      response_file: expect.stringMatching(/response\.bin\.\w+\.partial$/),
    });
    expect(String(step.partial)).toBe('line 1\nline 2\n');
    expect(step.file).toBeUndefined();
    const [annotation, ...others] = step.annotations;
    expect(others).toEqual([]);
    expect(annotation?.title).toBe('Lambda Function Execution Error');
    expect(annotation?.message).toMatch(/^RangeError: The stream failed\n {4}at \S+ .*stream\.mjs/);
    expect(annotation?.message).toContain(
      `The part of the response that arrived was saved to ${step.outputs['response_file']}`,
    );
  });

  test('that ends the process is also a function error', async () => {
    const step = await streamStep({ lines: 1, ending: 'exit' });
    expect(step.outputs['outcome']).toBe('function_error');
    expect(String(step.partial)).toBe('line 1\n');
  });
});

describe('an error that Lambda reports only in the log', () => {
  let recorded: LocalLambda;
  let documented: LocalLambda;
  beforeAll(async () => {
    recorded = await startLocalLambda({
      functions: {
        stream: SAMPLE_FUNCTIONS.stream,
        short: { ...SAMPLE_FUNCTIONS.stream, timeoutSeconds: 1 },
        json: { ...SAMPLE_FUNCTIONS.stream, logFormat: 'JSON' },
      },
      streaming: 'recorded',
    });
    documented = lambda;
    lambda = recorded;
  });
  afterAll(async () => {
    lambda = documented;
    await recorded.close();
  });

  test('is also a function error with its stack, and the received data is partial', async () => {
    const step = await streamStep({ lines: 2, ending: 'throw' });
    expect(step.exitCode).toBe(1);
    expect(step.outputs).toMatchObject({
      outcome: 'function_error',
      function_error: 'Unhandled',
      log_result: '',
    });
    expect(step.annotations[0]?.message).toMatch(/^RangeError: The stream failed\n {4}at \S+ .*stream\.mjs/);
    expect(String(step.partial)).toBe('line 1\nline 2\n');
    expect(step.file).toBeUndefined();
  });

  test.each([
    ['the end of the process', 'stream', 'exit', /Runtime\.ExitError/],
    ['a timeout', 'short', 'hang', /Sandbox\.Timedout/],
    ['an error in the JSON format', 'json', 'throw', /RangeError/],
  ])('is found for %s', async (_, name, ending, told) => {
    const step = await streamStep({ lines: 1, ending }, { function_name: name });
    expect(step.outputs['outcome']).toBe('function_error');
    expect(step.annotations[0]?.message).toMatch(told);
  });

  test('is not found if nothing failed', async () => {
    expect((await streamStep({ lines: 1 })).outputs['outcome']).toBe('succeeded');
  });

  test('a dry run runs nothing, unlike with streaming', async () => {
    recorded.reset();
    await streamStep({ lines: 1 }, { invocation_type: 'DryRun' });
    expect(recorded.executions()).toHaveLength(0);
  });
});

describe('an interrupted stream', () => {
  const half = 25 * MB;
  test.each<[string, Fault]>([
    ['is closed', { kind: 'truncate', bytes: half }],
    ['is reset', { kind: 'truncate', bytes: half, cut: 'reset' }],
    ['ends half-way in good order', { kind: 'truncate', bytes: half, cut: 'complete' }],
  ])('that %s halfway is unknown, is not retried, and reports the received bytes', async (_, fault) => {
    lambda.setFault(() => fault);
    const step = await streamStep({ bytes: 50 * MB }, { retry: 'idempotent' });
    expect(step.exitCode).toBe(1);
    expect(step.outputs).toMatchObject({
      outcome: 'unknown',
      attempts: '1',
      response: '',
      response_file: expect.stringMatching(/response\.bin\.\w+\.partial$/),
    });
    const partial = step.partial ?? Buffer.alloc(0);
    expect(partial.length).toBeGreaterThan(0);
    expect(partial.length).toBeLessThanOrEqual(half);
    expect(step.file).toBeUndefined();
    const bytes = partial.length.toLocaleString('en-US');
    expect(step.annotations.map(({ title, message }) => `${title}\n${message}`)).toEqual([
      expect.stringContaining(`${bytes} bytes of the stream were received`),
    ]);
    expect(step.annotations[0]?.message).toContain(
      'The function ran, at least in part, but its response was lost.',
    );
    expect(step.annotations[0]?.message).toContain(
      `The part of the response that arrived was saved to ${step.outputs['response_file']}`,
    );
    expect(lambda.requests).toHaveLength(1);
  });

  test('before its last event is incomplete, although every byte arrived', async () => {
    lambda.setFault(() => ({ kind: 'omit-invoke-complete' }));
    const step = await streamStep({ lines: 1 });
    expect(step.outputs['outcome']).toBe('unknown');
    expect(String(step.partial)).toBe('line 1\n');
  });

  test('before it starts is retried with idempotent', async () => {
    lambda.setFault((_, n) => (n === 0 ? { kind: 'reset', when: 'after' } : undefined));
    const step = await streamStep({ lines: 1 }, { retry: 'idempotent' });
    expect(step.outputs).toMatchObject({ outcome: 'succeeded', attempts: '2', response: 'line 1\n' });
  });

  test('at timeout_seconds keeps the received data', async () => {
    const step = await streamStep({ lines: 1, ending: 'hang' }, { timeout_seconds: '2' });
    expect(step.outputs['outcome']).toBe('unknown');
    expect(step.annotations[0]?.message).toContain('DeadlineExceeded');
    expect(String(step.partial)).toBe('line 1\n');
  });
});

test('a dry run runs nothing', async () => {
  const step = await streamStep({ lines: 1 }, { invocation_type: 'DryRun' });
  expect(step.outputs).toMatchObject({ outcome: 'succeeded', status_code: '204', response_file: '' });
  expect(lambda.executions()).toHaveLength(0);
});

test('a stream without its last chunk ends the step', async () => {
  const chunked = (bytes: Uint8Array): Buffer =>
    Buffer.concat([Buffer.from(`${bytes.length.toString(16)}\r\n`), bytes, Buffer.from('\r\n')]);
  const server = await startRawServer((socket) => {
    socket.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n');
    socket.write(chunked(payloadChunk(Buffer.from('hello'))));
    socket.write(chunked(invokeComplete({ error: undefined, logResult: undefined })));
  });
  try {
    const inputs = { function_name: 'stream', payload: '{}', response_stream: 'true' };
    // The server keeps its connections open, and the test waits for the process.
    const step = await invokeStep(server, inputs);
    expect(step.exitCode).toBe(0);
    expect(step.outputs).toMatchObject({ outcome: 'succeeded', response: 'hello' });
  } finally {
    await server.close();
  }
});

test('a page of a proxy is not read as a stream', async () => {
  lambda.setFault(() => ({
    kind: 'raw',
    when: 'before',
    status: 200,
    headers: { 'content-type': 'text/html' },
    body: '<html>hello</html>',
  }));
  const step = await streamStep({ lines: 1 });
  expect(step.outputs['outcome']).toBe('unknown');
  expect(step.annotations[0]?.message).toContain(
    'HTTP 200: A proxy or firewall responded instead of Lambda: <html>hello</html>',
  );
});

test("a file that can't be written fails the step, and the invocation is not lost", async () => {
  // A file has the name of the folder.
  const step = await streamStep({ lines: 1 }, { response_file: path.join(HANDLERS, 'response') });
  expect(step.exitCode).toBe(1);
  expect(step.outputs).toMatchObject({ outcome: 'succeeded', response: 'line 1\n', response_file: '' });
  expect(step.annotations.map(({ title }) => title)).toEqual(['Response Not Written']);
});
