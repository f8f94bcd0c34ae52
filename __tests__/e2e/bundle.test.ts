import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { startQuickLambda } from '../../bench/lambda-process.ts';
import { type Loaded, loadedBy, type Program } from '../../bench/measure.ts';
import { ONCE, withJob } from '../../bench/subjects.ts';
import { type LocalLambda, startLocalLambda } from '../../packages/local-lambda/server.ts';
import { makeCertificate } from '../../packages/local-proxy/certificate.ts';
import { ECHO, HANDLERS, invokeStep } from './step.ts';

const CHECKOUT = path.resolve(import.meta.dirname, '..', '..');
const INPUTS = { function_name: 'echo', payload: '{"a":1}' };

const DIST = path.join(CHECKOUT, 'dist');
const textOf = (file: string): string => readFileSync(path.join(DIST, file), 'utf8');
const SCRIPTS = readdirSync(DIST).filter((file) => file.endsWith('.js'));
const sizeOf = (file: string): number => statSync(path.join(DIST, file)).size;

/** Every file that one plain invocation loads, index.js first. It opens the connection, and loads the others in parts. */
async function loadedFiles(): Promise<Loaded & Readonly<{ scripts: readonly string[] }>> {
  const quick = await startQuickLambda(0);
  try {
    const loaded = await withJob({ ...ONCE, url: quick.url }, loadedBy);
    return { ...loaded, scripts: loaded.files.map((file) => path.relative(DIST, file)) };
  } finally {
    await quick.close();
  }
}

/** The parts of Node.js that one plain invocation over HTTPS loads, in order. */
async function partsOverHttps(env: Readonly<Record<string, string>>): Promise<readonly string[]> {
  const quick = await startQuickLambda(0, pem);
  try {
    const work = { ...ONCE, url: quick.url, ...(pem && { authority: pem.file }) };
    const run = (step: Program) => loadedBy({ ...step, env: { ...step.env, ...env } });
    return (await withJob(work, run)).parts;
  } finally {
    await quick.close();
  }
}

const certificate = makeCertificate(['127.0.0.1']);
const pem = 'missing' in certificate ? undefined : certificate;
const tlsTest = pem === undefined ? test.skip : test;

let lambda: LocalLambda;
let action: string;
let loaded: Awaited<ReturnType<typeof loadedFiles>>;

beforeAll(async () => {
  lambda = await startLocalLambda({
    functions: { echo: { handler: ECHO }, failing: { handler: `${HANDLERS}.failing` } },
  });
  loaded = await loadedFiles();
  // The bundle without the chunks that are loaded on demand.
  action = mkdtempSync(path.join(tmpdir(), 'action-'));
  cpSync(path.join(CHECKOUT, 'action.yml'), path.join(action, 'action.yml'));
  for (const file of [...loaded.scripts, 'package.json']) {
    cpSync(path.join(CHECKOUT, 'dist', file), path.join(action, 'dist', file));
  }
});
afterAll(async () => {
  rmSync(action, { recursive: true });
  pem?.dispose();
  await lambda.close();
});

test('one plain invocation loads nothing on demand', async () => {
  const step = await invokeStep(lambda, { ...INPUTS, log_type: 'Tail', show_response: 'true' }, { action });
  expect(step.stderr).toBe('');
  expect(step.exitCode).toBe(0);
  expect(step.outputs['response']).toBe('{"a":1}');
  expect(step.summary).toMatch(/^### ✅ `.*` succeeded\n/);
});

test.each([
  [
    'the comment',
    { comment_on_pull_request: 'true' },
    { GITHUB_EVENT_NAME: 'push', GITHUB_EVENT_PATH: '/dev/null' },
  ],
  ['JMESPath', { query: 'response.a' }, {}],
  ['YAML', { invocations: '- {}' }, {}],
  ['what names a mistake in JSON', { payload: '{a' }, {}],
  ['HTTP', { payload: '', http_request: 'GET /' }, {}],
  [
    "what reads the function's log",
    { follow_log: 'true' },
    { AWS_ENDPOINT_URL_CLOUDWATCH_LOGS: 'http://127.0.0.1:9' },
  ],
])('%s is in a separate chunk that is loaded only if it is needed', async (_, wanted, env) => {
  const whole = await invokeStep(lambda, { ...INPUTS, ...wanted }, { env });
  const without = await invokeStep(lambda, { ...INPUTS, ...wanted }, { action, env });
  const missing = 'Cannot find module';
  expect(whole.stdout).not.toContain(missing);
  if ('comment_on_pull_request' in wanted) {
    // Without a pull request, no code for GitHub is loaded.
    expect(without.stdout).not.toContain(missing);
  } else {
    expect(without.exitCode).toBe(1);
    expect(without.stdout).toContain(missing);
  }
});

test.each([
  ["a function's own error", { function_name: 'failing' }, { outcome: 'function_error', status_code: '200' }],
  ['a failure', { function_name: 'missing' }, { outcome: 'not_invoked' }],
])('%s has its outcome even if the code that explains it cannot be loaded', async (_, wanted, outputs) => {
  const step = await invokeStep(lambda, { ...INPUTS, ...wanted }, { action });
  expect(step.exitCode).toBe(1);
  expect(step.stdout).toContain('Cannot find module');
  expect(step.outputs).toMatchObject({ ...outputs, failed: '1' });
  expect(step.outcomeLines).toHaveLength(1);
  expect(step.summary).toMatch(/^### ❌ /);
});

describe('one plain invocation', () => {
  test('loads the code that sends a request', () => {
    expect(loaded.parts).toEqual(expect.arrayContaining(['crypto', 'http']));
  });

  tlsTest.each([
    ['a connection that is opened early', {}],
    ['another one', { AWS_USE_DUALSTACK_ENDPOINT: 'false' }],
  ])('loads TLS before the code that uses it, for %s', async (_, env) => {
    const parts = await partsOverHttps(env);
    expect(parts).toEqual(expect.arrayContaining(['crypto', 'http', 'https', 'tls']));
    // The SDK loads what describes the machine.
    expect(parts.indexOf('tls')).toBeLessThan(parts.indexOf('os'));
  });

  test('loads index.js first, which is small, and the rest in three parts of at most 190 KB', () => {
    expect(loaded.scripts[0]).toBe('index.js');
    expect(sizeOf('index.js')).toBeLessThanOrEqual(12_000);
    const others = loaded.scripts.slice(1);
    expect(others).toHaveLength(3);
    for (const file of others) {
      expect(SCRIPTS).toContain(file);
      expect(sizeOf(file)).toBeLessThanOrEqual(190_000);
    }
  });

  test('loads what evaluates and reports last, while the response is awaited', () => {
    const having = loaded.scripts.filter((file) => textOf(file).includes('Lambda Function Execution Error'));
    expect(having).toEqual([loaded.scripts.at(-1)]);
  });

  test.each([
    ['a fetch of its own', 'internal/deps/undici/undici'],
    ['streams of the web', 'internal/webstreams/readablestream'],
    ['processes', 'child_process'],
    ['HTTP/2', 'http2'],
    ['threads', 'worker_threads'],
    ['assertions', 'assert'],
    ['datagrams', 'dgram'],
    ['performance hooks', 'perf_hooks'],
    ['compression', 'zlib'],
    ['TLS and certificates, for an endpoint at http://', 'tls'],
    ["files' promises", 'internal/fs/promises'],
    ['watchers of files', 'internal/fs/watchers'],
    ['readers of lines', 'internal/readline/interface'],
    ["the web's cryptography", 'internal/crypto/webcrypto'],
  ])('does not load %s, which takes milliseconds', (_, part) => {
    expect(loaded.parts).not.toContain(part);
  });
});

const chunksOnDemand = (): string[] => SCRIPTS.filter((file) => !loaded.scripts.includes(file));
/** The code that a plain invocation loads. */
const plainText = (): string => loaded.scripts.map(textOf).join('\n');

test('a job downloads at most 945 KB, of which a plain invocation loads at most 380 KB', () => {
  const total = readdirSync(DIST).reduce((sum, file) => sum + sizeOf(file), 0);
  expect(total).toBeLessThanOrEqual(945_000);
  expect(loaded.scripts.reduce((sum, file) => sum + sizeOf(file), 0)).toBeLessThanOrEqual(380_000);
});

describe('so that V8 parses them once, the functions', () => {
  const countOf = (pattern: RegExp): number => (plainText().match(pattern) ?? []).length;

  test('of modules are in parentheses', () => {
    expect(countOf(/[{,]\d+:\((?:async ?)?(?:\w+|\([^()]*\))=>/g)).toBeGreaterThan(50);
    expect(countOf(/[{,]\d+:(?:async ?)?(?:\w+|\([^()]*\))=>/g)).toBe(0);
  });

  test('in modules are in parentheses too, and not the functions inside them', () => {
    expect(countOf(/(?:let |,)\w+=\((?:async ?)?(?:\w+|\([^()]*\))=>/g)).toBeGreaterThan(300);
    expect(countOf(/(?:let |,)\w+=(?:async ?)?(?:\w+|\([^()]*\))=>/g)).toBeGreaterThan(20);
  });
});

test.each([
  ["GitHub's client", 'octokit-core.js/'],
  ["CloudWatch's client", 'Logs_20140328'],
  ['YAML', 'YAMLParseError'],
  ['JMESPath', 'too many colons in slice expression'],
  ['what names a mistake in JSON', 'keys need double quotes'],
  ['the scanner of JSON', 'lineFeed'],
  ['the credentials of an assumed role', 'AWSSecurityTokenService'],
  ['single sign-on', 'x-amz-sso_bearer_token'],
  ["the SDK's handler of requests", 'socket usage at capacity'],
  ["CloudWatch's client", 'Logs_20140328'],
  ['the numbers in events', 'to represent as an Int64'],
  ['the decoder of event streams', 'Reported message length'],
  ['the summary of several invocations', 'Timeline: one lane per concurrent invocation'],
  ['the summary of dry runs', 'Permission to invoke '],
])('%s is in no file that a plain invocation loads', (_, mark) => {
  expect(plainText().includes(mark)).toBe(false);
  expect(chunksOnDemand().some((file) => textOf(file).includes(mark))).toBe(true);
});

test('no file has the HTTP client of undici, because Node.js has it built in', () => {
  expect(SCRIPTS.filter((file) => textOf(file).includes('undici:request:create'))).toEqual([]);
});

test("no file has the list of GitHub's routes, because the comment needs only six", () => {
  expect(chunksOnDemand().some((file) => textOf(file).includes('GET /repos/{owner}/{repo}/issues/'))).toBe(
    true,
  );
  expect(SCRIPTS.filter((file) => textOf(file).includes('GET /repos/{owner}/{repo}/branches'))).toEqual([]);
});

test('the bundle is CommonJS, which starts sooner than ES modules', () => {
  expect(JSON.parse(textOf('package.json'))).toEqual({ type: 'commonjs' });
  expect(plainText()).toContain('=require("node:https")');
  expect(SCRIPTS.filter((file) => /\bcreateRequire\b|\bimport\.meta\b/.test(textOf(file)))).toEqual([]);
});

test('a step whose files are not all there fails and names the file', async () => {
  const parts = loaded.scripts.slice(1);
  for (const missing of parts) {
    const broken = mkdtempSync(path.join(tmpdir(), 'action-'));
    cpSync(action, broken, { recursive: true });
    rmSync(path.join(broken, 'dist', missing));
    const step = await invokeStep(lambda, INPUTS, { action: broken });
    rmSync(broken, { recursive: true });
    expect(step.exitCode).toBe(1);
    expect(`${step.stderr}${step.stdout}`).toContain(missing);
    expect(step.outputs).toEqual({});
    // What reports is loaded only when the request is sent.
    if (missing === parts.at(-1)) {
      const message = expect.stringContaining('the function may have run. Check its log before you retry.');
      expect(step.annotations).toEqual([expect.objectContaining({ level: 'error', message })]);
    } else expect(step.stdout).not.toContain('Invoking');
  }
});

test.each([
  ["the SDK's classes of Lambda's errors", 'LambdaServiceException', 'CodeStorageExceededException'],
  [
    "the SDK's classes of CloudWatch's errors",
    'CloudWatchLogsServiceException',
    'DataAlreadyAcceptedException',
  ],
  ["the SDK's classes of sign-in errors", 'SSOOIDCServiceException', 'AuthorizationPendingException'],
  ['schemas of what is never called', 'InvocationRequest', 'TargetTrackingScalingPolicy'],
  ['parts of YAML that are never called', 'YAMLParseError', 'YAML.parseAllDocuments'],
  ['SHA-256 without Node.js', 'AWS4-HMAC-SHA256', 'Attempted to update an already finished HMAC'],
  ["the toolkit's HTML for summaries", 'summary file', 'colspan'],
  [
    "the SDK's streams of browsers",
    'The stream has already been transformed',
    'expect Blob or ReadableStream',
  ],
  ['the trace of a function that the step runs in', 'X-Amzn-Trace-Id', 'AWS_LAMBDA_BENCHMARK_MODE'],
])('%s are in no file', (_, kept, unused) => {
  expect(SCRIPTS.some((file) => textOf(file).includes(kept))).toBe(true);
  expect(SCRIPTS.filter((file) => textOf(file).includes(unused))).toEqual([]);
});

test('a module of 2 KB or more that several chunks have is stored once', () => {
  const stored = SCRIPTS.flatMap((file) =>
    textOf(file)
      .split(/(?<=[{,])(?=\d+:\()/)
      .slice(1)
      .filter(({ length }) => length >= 2_000)
      .map((module) => module.split(':', 1)[0]),
  );
  expect(stored.length).toBeGreaterThan(20);
  expect(new Set(stored).size).toBe(stored.length);
});

test.each(['ServiceException', 'ProviderError', 'NoOpLogger', 'InvokeCommand'])(
  'the class %s keeps its name, by which it is known',
  (name) => {
    expect(plainText()).toMatch(new RegExp(`class ${name}\\b|\\b${name}=class\\b`));
  },
);

test('licenses.txt has the license of every bundled package', () => {
  const licenses = textOf('licenses.txt');
  for (const name of ['@actions/core', '@actions/github', '@aws-sdk/client-lambda', '@smithy/core', 'yaml']) {
    expect(licenses).toMatch(new RegExp(`^${name} \\d+\\.\\d+\\.\\d+ \\(\\S+\\)$`, 'm'));
  }
  expect(licenses).not.toMatch(/^undici /m);
});
