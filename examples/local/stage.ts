import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { startLocalGitHub } from '../../packages/local-github/server.ts';
import { SAMPLE_FUNCTIONS } from '../../packages/local-lambda/sample-functions.ts';
import {
  type FunctionDefinition,
  type LocalLambda,
  startLocalLambda,
} from '../../packages/local-lambda/server.ts';
import { makeCertificate } from '../../packages/local-proxy/certificate.ts';
import { startFront } from '../../packages/local-proxy/front.ts';
import { startLocalProxy } from '../../packages/local-proxy/server.ts';
import type { JobRun } from '../../packages/local-runner/run-job.ts';
import { runWorkflow, type WorkflowOptions } from '../../packages/local-runner/run-workflow.ts';

/** What an example needs in addition to the functions: the event, the repository, other programs. */
export type Setting = Partial<Omit<WorkflowOptions, 'file'>>;

const EXAMPLES = path.resolve(import.meta.dirname, '..');
const REGION = 'eu-west-1';
const REPOSITORY = 'octo-org/octo-repo';
const PULL_REQUEST = 7;
const HEAD = 'a1'.repeat(20);

const handler = (name: string): string => `${path.join(import.meta.dirname, 'functions.mjs')}.${name}`;
const runs = (name: string, more: Partial<FunctionDefinition> = {}): FunctionDefinition => ({
  handler: handler(name),
  timeoutSeconds: 30,
  ...more,
});
const api = (name: string): FunctionDefinition => ({
  handler: `${path.join(import.meta.dirname, 'apis.mjs')}.${name}`,
  timeoutSeconds: 30,
});
const LIVE = { versions: { 1: {}, 2: {} }, aliases: { live: '1' } } as const;

/** The functions that the examples invoke. */
export const FUNCTIONS: Readonly<Record<string, FunctionDefinition>> = {
  'my-function': runs('echo', { versions: { 1: {}, 2: {} }, aliases: { PROD: '2' } }),
  'my-api': runs('api', LIVE),
  'orders-api': api('powertools'),
  'legacy-api': api('server'),
  'internal-api': api('server'),
  checkout: runs('shop'),
  search: runs('shop', LIVE),
  recommend: runs('shop'),
  greeting: runs('greeting'),
  migrate: runs('migrate'),
  seed: runs('echo'),
  backfill: runs('echo'),
  report: runs('echo'),
  'process-orders': runs('echo'),
  'create-preview': runs('echo'),
  'send-newsletter': runs('echo'),
  'rebuild-index': runs('echo', { logFormat: 'JSON' }),
  'mobile-backend': runs('mobileBackend'),
  'next-release': runs('nextRelease'),
  'place-order': runs('placeOrder', {
    ...LIVE,
    testEvents: { 'order-of-tea': { value: { order: 17, lines: [{ article: 'tea', count: 2 }] } } },
  }),
  'price-list': runs('shop', {
    versions: LIVE.versions,
    aliases: { live: { version: '2', routing: [{ weights: { 1: 1 }, lasts: { polls: 2 } }, {}] } },
    provisionedConcurrency: {
      live: {
        requested: 5,
        steps: [{ status: 'IN_PROGRESS', available: 2, lasts: { polls: 1 } }, { status: 'READY' }],
      },
    },
  }),
  refund: runs('echo'),
  'roll-out': runs('rollOut', { durable: { executionTimeoutSeconds: 3_600 }, ...LIVE }),
  'export-orders': runs('exportOrders'),
  'move-orders': runs('moveOrders'),
};

/** The names of all functions that are deployed where examples run. */
export const FUNCTION_NAMES: readonly string[] = Object.keys({ ...SAMPLE_FUNCTIONS, ...FUNCTIONS }).sort();

/** The role that is not allowed to invoke `refund`. */
const ROLE = 'arn:aws:sts::123456789012:assumed-role/deploy/GitHubActions';

const pullRequest = (title: string, labels: readonly string[]): NonNullable<Setting['event']> => ({
  name: 'pull_request',
  payload: {
    number: PULL_REQUEST,
    pull_request: {
      number: PULL_REQUEST,
      title,
      head: { sha: HEAD, repo: { full_name: REPOSITORY } },
      labels: labels.map((name) => ({ name })),
    },
  },
});

/** Stand-ins for zip and the AWS CLI, with what the examples use of them. Nothing is deployed. */
const DEPLOYMENT = {
  zip: '#!/bin/sh\n',
  aws: [
    '#!/bin/sh',
    'case "$2" in',
    '  update-function-code) echo 2 ;;',
    '  update-alias) echo "The alias live is at version $8." ;;',
    'esac',
    '',
  ].join('\n'),
} as const;

/** Nine events in two files. */
const EVENTS = {
  'events/2026-01.jsonl': '{"order":0}\n{"order":1}\n{"order":2}\n{"order":3}\n',
  'events/2026-02.jsonl': '{"order":4}\r\n{"order":5}\r\n\r\n{"order":6}\r\n{"order":7}\r\n{"order":8}',
} as const;

/** Fifty entries, each with a name. */
const TENANTS = Array.from({ length: 50 }, (_, id) =>
  JSON.stringify({ name: `Tenant ${id}`, payload: { tenant: id, rows: id * 10 } }),
).join('\n');

const SETTINGS: Readonly<Record<string, Setting>> = {
  asynchronous: { event: { name: 'release', payload: { release: { name: 'Version 1.5 "Autumn"' } } } },
  'durable-execution': {
    event: { name: 'release', payload: { release: { id: 42, tag_name: 'v1.5.0' } } },
  },
  'ci-cd-pipeline': { repository: { 'src/index.mjs': '' }, commands: DEPLOYMENT },
  'environment-specific': { contexts: { inputs: { environment: 'production' } } },
  'complex-payload': {
    event: pullRequest('Say "hello" to {everybody}', ['feature', 'needs preview']),
    github: { head_ref: 'hello/everybody', base_ref: 'main' },
  },
  'warm-up': {
    event: { name: 'deployment_status', payload: { deployment_status: { state: 'success' } } },
  },
  'smoke-test': {
    commands: DEPLOYMENT,
    contexts: { inputs: { version: '2', previous: '1' } },
  },
  'wait-until-ready': { repository: { 'src/index.mjs': '' }, commands: DEPLOYMENT },
  'provisioned-concurrency': { commands: DEPLOYMENT, contexts: { inputs: { version: '2' } } },
  'stop-on-cancel': { contexts: { inputs: { release: 'v1.5.0' } } },
  'local-endpoint': { repository: { 'src/index.mjs': '' }, commands: DEPLOYMENT },
  backfill: { repository: EVENTS },
  'many-tenants': { repository: { 'tenants.jsonl': TENANTS } },
  'permission-check': { event: pullRequest('Check the permissions', []), github: { head_ref: 'check' } },
};

/** Changes in Lambda before the step of an example begins. */
const HAPPENED: Readonly<Record<string, (lambda: LocalLambda) => void>> = {
  'wait-until-ready': (lambda) => {
    const { health } = SAMPLE_FUNCTIONS;
    lambda.setFunction('health', health);
    lambda.updateFunction(
      'health',
      { ...health, environment: { APP_VERSION: '2.0.0' } },
      { lasts: { polls: 2 } },
    );
  },
};

/** The names of the examples, in alphabetical order. */
export const exampleNames = (): string[] =>
  readdirSync(EXAMPLES)
    .filter((file) => file.endsWith('.yml'))
    .map((file) => path.basename(file, '.yml'))
    .sort();

/** The path of an example. */
export const exampleFile = (name: string): string => path.join(EXAMPLES, `${name}.yml`);

/** The local servers that examples run against: a Lambda, a GitHub and, for one example, a proxy. */
export type Stage = Readonly<{
  lambda: LocalLambda;
  /** The bodies of the comments on the pull request. */
  comments: () => readonly string[];
  /** The requests that went through the proxy. */
  proxied: () => readonly string[];
  /** Runs an example in its setting. `changes` replace parts of that setting. */
  run: (name: string, changes?: Setting) => Promise<readonly JobRun[]>;
  /** Runs any workflow, on a pull request. */
  runFile: (file: string) => Promise<readonly JobRun[]>;
  close: () => Promise<void>;
}>;

/** The environment of a self-hosted runner with its own credentials. */
export const OWN_CREDENTIALS = {
  AWS_ACCESS_KEY_ID: 'AKIALOCALLAMBDA00000',
  AWS_SECRET_ACCESS_KEY: 'not-checked-here',
  AWS_EC2_METADATA_DISABLED: 'true',
} as const;

/** The environment of a job on that runner, where a local Lambda is all of AWS, at its address or at one in front of it. */
export const environmentOf = (
  { url, region }: Pick<LocalLambda, 'url' | 'region'>,
  address = url,
): Readonly<Record<string, string>> => ({
  ...OWN_CREDENTIALS,
  AWS_ENDPOINT_URL_LAMBDA: address,
  AWS_ENDPOINT_URL_CLOUDWATCH_LOGS: address,
  AWS_ENDPOINT_URL_SCHEMAS: address,
  AWS_REGION: region,
});

/** The servers for a runner behind a proxy: the proxy, an endpoint with TLS, and the certificate authority in a file. */
async function startProxied(lambda: LocalLambda) {
  const certificate = makeCertificate(['127.0.0.1']);
  if ('missing' in certificate) throw new Error(`The example of a proxy needs TLS: ${certificate.missing}`);
  const proxy = await startLocalProxy();
  const front = await startFront({ targetPort: Number(new URL(lambda.url).port), certificate });
  return {
    targets: () => proxy.requests.map(({ method, target }) => `${method} ${target}`),
    setting: {
      contexts: { vars: { HTTPS_PROXY: `http://127.0.0.1:${proxy.port}`, CA_FILE: certificate.file } },
      env: environmentOf(lambda, `https://127.0.0.1:${front.port}`),
    },
    close: async () => {
      await Promise.all([proxy.close(), front.close()]);
      certificate.dispose();
    },
  } as const;
}

/** Starts the servers that the examples need. */
export async function openStage(): Promise<Stage> {
  const lambda = await startLocalLambda({
    functions: { ...SAMPLE_FUNCTIONS, ...FUNCTIONS },
    region: REGION,
    deny: ({ functionName }) =>
      functionName === 'refund' ? { kind: 'no-identity-policy', principal: ROLE } : undefined,
  });
  const github = await startLocalGitHub({
    repositories: { [REPOSITORY]: [{ number: PULL_REQUEST, commits: [HEAD], state: 'open' }] },
    tokens: { 'token-of-the-job': { kind: 'installation', access: 'write' } },
  });
  const caches = mkdtempSync(path.join(tmpdir(), 'caches-'));
  let proxied: Awaited<ReturnType<typeof startProxied>> | undefined;

  const settingOf = async (name: string): Promise<Setting> => {
    if (name === 'behind-a-proxy') {
      proxied ??= await startProxied(lambda);
      return proxied.setting;
    }
    const ports = { 4566: Number(new URL(lambda.url).port) };
    return { contexts: { job: { services: { localstack: { ports } } } }, ...SETTINGS[name] };
  };
  const runIn = (file: string, setting: Setting): Promise<readonly JobRun[]> =>
    runWorkflow({
      file,
      env: environmentOf(lambda),
      caches,
      ...setting,
      github: { repository: REPOSITORY, api_url: github.url, ...setting.github },
    });
  return {
    lambda,
    comments: () => github.comments(REPOSITORY, PULL_REQUEST).map(({ body }) => body),
    proxied: () => proxied?.targets() ?? [],
    run: async (name, changes = {}) => {
      HAPPENED[name]?.(lambda);
      return runIn(exampleFile(name), { ...(await settingOf(name)), ...changes });
    },
    runFile: (file) => runIn(file, SETTINGS['permission-check'] ?? {}),
    close: async () => {
      await Promise.all([lambda.close(), github.close(), proxied?.close()]);
      rmSync(caches, { recursive: true, force: true });
    },
  };
}
