import { Buffer } from 'node:buffer';
import { readFileSync } from 'node:fs';
import { createServer, type ServerResponse } from 'node:http';
import path from 'node:path';
import { afterEach, expect, test } from '@jest/globals';
import { startLocalLambda } from '../../packages/local-lambda/server.ts';
import { runStep, type StepRun } from '../../packages/local-runner/run-step.ts';
import { type Listening, listen } from '../../packages/local-server/listening.ts';
import { followPeak } from './peak-memory.ts';
import { HANDLERS, invokeStep, jobEnvironment } from './step.ts';

// CloudWatch Logs responds as a strange or hostile server might. Lambda's own response is always good.

const STREAM = '2026/01/02[$LATEST]0123456789abcdef0123456789abcdef';
const PASSWORD = 'hunter2-hunter2';

let server: Listening | undefined;
afterEach(async () => {
  await server?.close();
  server = undefined;
});

/** One invocation, as its log names it, and when it was sent. */
type Request = Readonly<{ id: string; at: number; response: ServerResponse }>;
type LogEvent = Readonly<{ timestamp: number; message: string }>;

function send(response: ServerResponse, value: unknown, status = 200): void {
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  response.writeHead(status, { 'content-length': Buffer.byteLength(text) });
  response.end(text);
}

const startLine = (id: string): string => `START RequestId: ${id} Version: $LATEST\n`;
const reportLine = (id: string): string => `REPORT RequestId: ${id}\tDuration: 3.00 ms\t\n`;

/** The log of one request, on one page. */
const page = ({ id, at, response }: Request, events: readonly unknown[]): void =>
  send(response, {
    events: [
      { timestamp: at, message: startLine(id) },
      ...events,
      { timestamp: at, message: reportLine(id) },
    ],
    nextForwardToken: 'f/end',
  });

type LoggedStep = StepRun & Readonly<{ logFile: string; peakMb: number }>;

/** Runs a step that follows a log, which GetLogEvents returns once. */
async function followAt(
  getLogEvents: (request: Request) => void,
  inputs: Readonly<Record<string, string>> = {},
): Promise<LoggedStep> {
  let sent = { id: '', at: 0 };
  let reads = 0;
  const logs = createServer(({ headers, url = '' }, response) => {
    const target = headers['x-amz-target'] ?? '';
    if (url.includes('/invocations')) {
      sent = { id: String(headers['x-amzn-requestid']), at: Date.now() };
      response.setHeader('x-amzn-requestid', sent.id);
      response.setHeader('x-amz-executed-version', '$LATEST');
      send(response, { password: PASSWORD });
    } else if (target.includes('FilterLogEvents')) {
      const found = { logStreamName: STREAM, timestamp: sent.at, message: startLine(sent.id) };
      send(response, { events: [found] });
    } else if (target.includes('GetLogEvents')) {
      reads += 1;
      if (reads % 2 === 0) send(response, { events: [], nextForwardToken: 'f/end' });
      else getLogEvents({ ...sent, response });
    } else send(response, {});
  });
  server = await listen(logs);
  const url = `http://127.0.0.1:${server.port}`;
  let peak = (): number => 0;
  const step = await runStep({
    with: { function_name: 'f', payload: '{}', follow_log: 'true', ...inputs },
    env: { ...jobEnvironment({ url, region: 'us-east-1' }), AWS_ENDPOINT_URL_CLOUDWATCH_LOGS: url },
    onStart: (child) => {
      peak = followPeak(child);
    },
  });
  const file = step.outputs['log_file'] ?? '';
  const logFile = file === '' ? '' : readFileSync(file, 'utf8');
  step.dispose();
  return { ...step, logFile, peakMb: peak() };
}

const warnings = (step: StepRun): string[] => step.annotations.map(({ message }) => message);

test('100,000 lines with one timestamp are read once each, in their order', async () => {
  const texts = Array.from({ length: 100_000 }, (_, n) => `line ${n}`);
  const step = await followAt(({ id, at, response }) => {
    const lines: readonly LogEvent[] = texts.map((message) => ({ timestamp: at, message: `${message}\n` }));
    // START is the last event with its time, because the order of events with the same time is not documented.
    const events = [...lines, { timestamp: at, message: startLine(id) }];
    const end = { timestamp: at + 1, message: reportLine(id) };
    send(response, { events: [...events, end], nextForwardToken: 'f/end' });
  });
  expect(step.outputs['outcome']).toBe('succeeded');
  expect(step.logFile.split('\n').slice(1, -2)).toEqual(texts);
  expect(step.annotations).toEqual([]);
}, 60_000);

test('an endless response is read in part', async () => {
  const step = await followAt(({ response }) => {
    const body = Buffer.alloc(1024 * 1024, ' ');
    const write = (): void => {
      while (!response.destroyed && response.write(body));
    };
    response.on('drain', write);
    write();
  });
  expect(step.exitCode).toBe(0);
  expect(step.outputs['outcome']).toBe('succeeded');
  expect(step.peakMb).toBeLessThan(400);
}, 60_000);

test('events of other types than the API has do not cost the outcome or the rest of the log', async () => {
  const step = await followAt((request) =>
    page(request, [
      { timestamp: request.at, message: 5 },
      { timestamp: 'now', message: 'untimed' },
      null,
      { timestamp: request.at, message: { text: 'nested' } },
      { timestamp: request.at, message: 'good\n' },
    ]),
  );
  expect(step.exitCode).toBe(0);
  expect(step.outputs['outcome']).toBe('succeeded');
  expect(step.logFile).toMatch(/^START .*\n[\s\S]*good\nREPORT .*\n$/);
  expect(step.annotations).toEqual([]);
}, 60_000);

test("a proxy's page is quoted, and not the SDK's words about it", async () => {
  const step = await followAt(({ response }) => send(response, '<html>Blocked\nby us</html>', 403));
  expect(step.exitCode).toBe(0);
  expect(warnings(step)).toEqual([
    'The log of f cannot be read (HTTP 403): a proxy or firewall responded instead of CloudWatch Logs: <html>Blocked by us</html>',
  ]);
});

test('an endpoint without logs is not retried, and a page in another encoding is not quoted', async () => {
  const without = await followAt(({ response }) => send(response, '<Code>NotImplemented</Code>', 501));
  expect(warnings(without).join('\n')).toContain('(HTTP 501): a proxy or firewall responded');
  await server?.close();
  const packed = await followAt(({ response }) => response.end(Buffer.from('1f8b0800', 'hex')));
  expect(warnings(packed).join('\n')).toContain('(HTTP 200): the response is not valid JSON');
});

test('a page of the log that is cut is not quoted', async () => {
  const step = await followAt(({ response }) => send(response, '{"events":[{"message":"a line"'), {
    mask: 'response.nothing',
  });
  expect(warnings(step).join('\n')).toContain('(HTTP 200): the response is not valid JSON');
  expect(step.stdout).not.toContain('a line');
});

test('lines that look like commands, with controls, carriage returns or secrets in them, are only shown', async () => {
  const lines = [
    '::set-output name=a::b',
    '\u001b[31m::error::red',
    'progress 1\r::error::progress 2',
    '##[error]old',
    '\ufeff::warning::marked',
    `${PASSWORD}\r${PASSWORD}`,
    '::stop-commands::mine',
    '::mine::',
  ];
  const step = await followAt(
    (request) =>
      page(
        request,
        lines.map((message) => ({ timestamp: request.at, message: `${message}\n` })),
      ),
    { mask: 'response.password' },
  );
  expect(step.exitCode).toBe(0);
  expect(step.annotations).toEqual([]);
  expect(Object.keys(step.outputs)).not.toContain('a');
  expect(step.stdout.replaceAll(/^::add-mask::.*$/gm, '')).not.toContain(PASSWORD);
  expect(step.logFile).toContain('***\r***\n');
  expect(step.logFile).not.toContain(PASSWORD);
});

test('with a clock that is three hours wrong, the log of a failed entry is found in its own group', async () => {
  const lambda = await startLocalLambda({
    functions: { f: { handler: `${HANDLERS}.crash`, logGroup: '/apps/all' } },
  });
  const preload = path.join(import.meta.dirname, 'preload', 'clock-ahead.mjs');
  const step = await invokeStep(
    lambda,
    { function_name: 'f', payload: '{}', repeat: '2', follow_log: 'true' },
    {
      env: { AWS_ENDPOINT_URL_CLOUDWATCH_LOGS: lambda.url, NODE_OPTIONS: `--import=${preload}` },
    },
  );
  await lambda.close();
  expect(step.exitCode).toBe(1);
  expect(step.stdout.match(/Reading the log of f in log group \/apps\/all$/gm)).toHaveLength(2);
  expect(step.stdout.match(/^Function log saved to /gm)).toHaveLength(2);
}, 60_000);
