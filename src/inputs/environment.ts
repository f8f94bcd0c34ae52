import { Buffer } from 'node:buffer';
import { readFileSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { getInput } from '@actions/core';
import { type Fields, fieldsOf } from '../shared/values.ts';
import { type AwsSettings, awsSettingsIn } from './aws-settings.ts';
import { INPUTS, type Input, type InputReader } from './schema.ts';

// The events whose runs get no secrets if the pull request is from a fork. A run for pull_request_target belongs to
// the base repository: docs.github.com/en/actions/reference/workflows-and-actions/events-that-trigger-workflows
const EVENTS: ReadonlySet<string> = new Set([
  'pull_request',
  'pull_request_review',
  'pull_request_review_comment',
]);

// GitHub caps a payload at 25 MB: docs.github.com/en/webhooks/webhook-events-and-payloads. Most have some 30 KB.
const LARGEST_PAYLOAD = 25_000_000;

const repositoryOf = (side: unknown): Fields => fieldsOf(fieldsOf(side)['repo']);

/** Compares both sides, because a fork also has pull requests of its own, which do get its secrets. */
function isFromFork({ head, base }: Fields): boolean | undefined {
  const { fork, id } = repositoryOf(head);
  if (typeof fork !== 'boolean') return undefined;
  return fork && (id === undefined || id !== repositoryOf(base)['id']);
}

/** Whether the run is for a pull request from a fork; undefined if nothing says so. Never throws. */
export function readIsFork(event: Readonly<{ name: string; path: string | undefined }>): boolean | undefined {
  if (!EVENTS.has(event.name) || !event.path) return undefined;
  try {
    const file = statSync(event.path);
    if (!file.isFile() || file.size > LARGEST_PAYLOAD) return undefined;
    return isFromFork(fieldsOf(fieldsOf(JSON.parse(readFileSync(event.path, 'utf8')))['pull_request']));
  } catch {
    return undefined;
  }
}

/** Environment variables by name. */
export type Variables = Readonly<Record<string, string | undefined>>;

/** The step's credentials. They are hidden in every text, because a response can repeat them. */
export type StepCredentials = Readonly<{ keys: readonly string[]; passwords: readonly string[] }>;

/** What the runner says about itself and the job, and the settings of the network. */
export type Environment = Readonly<{
  /** Folder that relative paths start from. */
  workspace: string;
  /** Folder for files that live as long as the job. */
  temporaryFolder: string;
  hasSummary: boolean;
  /** The event that started the run, for advice about credentials. */
  eventName: string;
  /** Whether the job may ask for an OIDC token (`permissions: id-token: write`). */
  hasOidc: boolean;
  /** Whether the run is for a pull request from a fork, which gets no credentials. Absent if nothing says so. */
  isFork?: boolean;
  /** What GitHub says of the run, for the comment on a pull request. */
  github: Readonly<{
    apiUrl: string;
    serverUrl: string;
    repository: string;
    sha: string;
    runId: string;
    workflow: string;
    job: string;
    step: string;
    /** The event's payload as a file. */
    eventPath: string | undefined;
  }>;
  /** HTTPS_PROXY, HTTP_PROXY and NO_PROXY in both cases, for Node's agent. */
  proxy: Variables;
  /** Credentials that the step has from the start. */
  credentials: StepCredentials;
  /** URL of the folder with this action's documents; absent if the runner does not name the action's repository. */
  documents?: string;
  /** Whether the job has debug logging: the secret or variable ACTIONS_STEP_DEBUG is true. */
  isDebug: boolean;
  /** The version of Node.js, for example 24.19.0. */
  nodeVersion: string;
  /** Whether NODE_TLS_REJECT_UNAUTHORIZED=0 is set, which has no effect here. */
  trustsAnyCertificate: boolean;
  /** The names after `INPUT_`, including those that action.yml does not declare. */
  inputNames: readonly string[];
  aws: AwsSettings;
}>;

const PROXY_VARIABLES = ['HTTPS_PROXY', 'https_proxy', 'HTTP_PROXY', 'http_proxy', 'NO_PROXY', 'no_proxy'];

/** Reads one declared input. Never throws: `makePlan` checks whether the text is valid. */
export const readInput: InputReader = (name) => {
  const input: Input<unknown> = INPUTS[name];
  const text = getInput(name, { trimWhitespace: !input.keepsWhiteSpace });
  return text.trim() === '' ? input.default : text;
};

const INPUT = 'INPUT_';

/** The names of all inputs of a step. On Windows they are in capitals, because variables have no letter case there. */
const inputNamesIn = (variables: Variables): readonly string[] =>
  Object.freeze(
    Object.keys(variables)
      .map((name) => (process.platform === 'win32' ? name.toUpperCase() : name))
      .filter((name) => name.startsWith(INPUT))
      .map((name) => name.slice(INPUT.length)),
  );

// An access key ID is no secret: it is in every signed request, and advice about permissions names it.
const KEYS = ['AWS_SECRET_ACCESS_KEY', 'AWS_SESSION_TOKEN', 'AWS_CONTAINER_AUTHORIZATION_TOKEN'];

/** The password of a proxy: as in its URL, decoded, and as in the header that Node.js sends. */
function passwordsOf(proxy: string): string[] {
  const url = URL.parse(proxy.includes('://') ? proxy : `http://${proxy}`);
  if (url === null || url.password === '') return [];
  try {
    const [user, password] = [url.username, url.password].map(decodeURIComponent);
    return [url.password, password ?? '', Buffer.from(`${user}:${password}`).toString('base64')];
  } catch {
    // The check of the proxy variables refuses such a URL.
    return [url.password];
  }
}

/** The credentials in environment variables, including those in the URLs of proxies. */
export function credentialsIn(
  variables: Variables,
  { token, proxies }: { token: string; proxies: Variables },
): StepCredentials {
  const keys = [...KEYS.map((name) => variables[name] ?? ''), token].map((text) => text.trim());
  const passwords = Object.values(proxies).flatMap((proxy = '') => passwordsOf(proxy.trim()));
  const given = (texts: readonly string[]): readonly string[] =>
    Object.freeze([...new Set(texts)].filter((text) => text !== ''));
  return Object.freeze({ keys: given(keys), passwords: given(passwords) });
}

/**
 * Where the documents of this action are, at the version that runs; undefined for an action of the job's own checkout.
 */
function documentsOf(variables: Variables): string | undefined {
  const [repository = '', ref = ''] = [variables['GITHUB_ACTION_REPOSITORY'], variables['GITHUB_ACTION_REF']];
  if (!/^[\w.-]+\/[\w.-]+$/.test(repository) || !/^[\w./-]+$/.test(ref)) return undefined;
  return `${variables['GITHUB_SERVER_URL'] || 'https://github.com'}/${repository}/blob/${ref}/docs`;
}

/** Reads everything that the action needs from `process.env`. From then on, every certificate is verified. */
export function readEnvironment(): Environment {
  const variables = process.env;
  const proxy = Object.fromEntries(PROXY_VARIABLES.map((name) => [name, variables[name]] as const));
  const eventName = variables['GITHUB_EVENT_NAME'] ?? '';
  const isFork = readIsFork({ name: eventName, path: variables['GITHUB_EVENT_PATH'] });
  const documents = documentsOf(variables);
  const trustsAnyCertificate = variables['NODE_TLS_REJECT_UNAUTHORIZED'] === '0';
  // Node.js reads this variable for each connection. The option of an agent does not apply to a proxy at https://.
  delete variables['NODE_TLS_REJECT_UNAUTHORIZED'];
  return Object.freeze({
    workspace: variables['GITHUB_WORKSPACE'] || process.cwd(),
    temporaryFolder: variables['RUNNER_TEMP'] || tmpdir(),
    hasSummary: Boolean(variables['GITHUB_STEP_SUMMARY']),
    eventName,
    hasOidc: Boolean(variables['ACTIONS_ID_TOKEN_REQUEST_URL']),
    ...(isFork !== undefined && { isFork }),
    ...(documents !== undefined && { documents }),
    github: Object.freeze({
      apiUrl: variables['GITHUB_API_URL'] || 'https://api.github.com',
      serverUrl: variables['GITHUB_SERVER_URL'] || 'https://github.com',
      repository: variables['GITHUB_REPOSITORY'] ?? '',
      sha: variables['GITHUB_SHA'] ?? '',
      runId: variables['GITHUB_RUN_ID'] ?? '',
      workflow: variables['GITHUB_WORKFLOW'] ?? '',
      job: variables['GITHUB_JOB'] ?? '',
      step: variables['GITHUB_ACTION'] ?? '',
      eventPath: variables['GITHUB_EVENT_PATH'],
    }),
    proxy: Object.freeze(proxy),
    credentials: credentialsIn(variables, { token: readInput('github_token'), proxies: proxy }),
    isDebug: variables['RUNNER_DEBUG'] === '1',
    nodeVersion: process.versions.node,
    trustsAnyCertificate,
    inputNames: inputNamesIn(variables),
    aws: awsSettingsIn(variables),
  });
}
