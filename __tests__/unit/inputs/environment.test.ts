import { tmpdir } from 'node:os';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { readEnvironment, readInput } from '../../../src/inputs/environment.ts';

const READ = [
  'GITHUB_WORKSPACE',
  'RUNNER_TEMP',
  'GITHUB_STEP_SUMMARY',
  'GITHUB_EVENT_NAME',
  'GITHUB_API_URL',
  'GITHUB_SERVER_URL',
  'GITHUB_REPOSITORY',
  'GITHUB_SHA',
  'GITHUB_RUN_ID',
  'RUNNER_DEBUG',
  'GITHUB_WORKFLOW',
  'GITHUB_JOB',
  'GITHUB_ACTION',
  'GITHUB_ACTION_REPOSITORY',
  'GITHUB_ACTION_REF',
  'GITHUB_EVENT_PATH',
  'ACTIONS_ID_TOKEN_REQUEST_URL',
  'HTTPS_PROXY',
  'https_proxy',
  'HTTP_PROXY',
  'http_proxy',
  'NO_PROXY',
  'no_proxy',
  'AWS_SECRET_ACCESS_KEY',
  'AWS_SESSION_TOKEN',
  'AWS_CONTAINER_AUTHORIZATION_TOKEN',
  'INPUT_GITHUB_TOKEN',
  'NODE_TLS_REJECT_UNAUTHORIZED',
  'AWS_ACCESS_KEY_ID',
  'AWS_PROFILE',
  'AWS_DEFAULT_REGION',
  'AWS_ENDPOINT_URL',
  'AWS_ENDPOINT_URL_LAMBDA',
  'INPUT_FUNCTION-NAME',
  'INPUT_REGION',
  'INPUT_PAYLOAD',
  'INPUT_INVOCATIONS',
  'INPUT_LOG_TYPE',
  'INPUT_SUMMARY',
  'INPUT_RETRY',
] as const;

const before = new Map(READ.map((name) => [name, process.env[name]] as const));

beforeEach(() => {
  for (const name of READ) delete process.env[name];
});

afterEach(() => {
  for (const [name, value] of before) {
    if (value === undefined) delete process.env[name];
    else process.env[name] = value;
  }
});

describe('an input', () => {
  test('is the trimmed text from the runner', () => {
    process.env['INPUT_PAYLOAD'] = ' \n{"a": " b "}\n';
    expect(readInput('payload')).toBe('{"a": " b "}');
  });

  test('keeps the whitespace around a list, because lines and indentation matter', () => {
    process.env['INPUT_INVOCATIONS'] = '\n  - {}\n  - {}\n';
    expect(readInput('invocations')).toBe('\n  - {}\n  - {}\n');
  });

  test.each([
    ['is missing', undefined],
    ['is empty', ''],
    ['is whitespace', '  \n'],
  ])('that %s has its default', (_, value) => {
    for (const name of ['INPUT_REGION', 'INPUT_LOG_TYPE', 'INPUT_SUMMARY', 'INPUT_RETRY']) {
      if (value !== undefined) process.env[name] = value;
    }
    expect(readInput('region')).toBe('');
    expect(readInput('log_type')).toBe('None');
    expect(readInput('summary')).toBe('true');
    expect(readInput('retry')).toBe('safe');
  });

  test('is not validated when it is read', () => {
    process.env['INPUT_SUMMARY'] = 'perhaps';
    expect(readInput('summary')).toBe('perhaps');
  });
});

describe('the environment', () => {
  test('has the values from the runner', () => {
    process.env['GITHUB_WORKSPACE'] = '/the/workspace';
    process.env['RUNNER_TEMP'] = '/the/temp';
    process.env['GITHUB_STEP_SUMMARY'] = '/the/summary';
    process.env['GITHUB_EVENT_NAME'] = 'pull_request';
    process.env['ACTIONS_ID_TOKEN_REQUEST_URL'] = 'https://token.example';
    process.env['HTTPS_PROXY'] = 'http://upper.example:3128';
    process.env['no_proxy'] = 'lower.example';
    process.env['AWS_SECRET_ACCESS_KEY'] = 'secret-access-key';
    process.env['AWS_DEFAULT_REGION'] = 'eu-north-1';
    process.env['INPUT_FUNCTION-NAME'] = 'f';
    process.env['INPUT_GITHUB_TOKEN'] = 'github-token';
    Object.assign(process.env, {
      GITHUB_API_URL: 'https://github.example/api/v3',
      GITHUB_SERVER_URL: 'https://github.example',
      GITHUB_REPOSITORY: 'octo-org/octo-repo',
      GITHUB_SHA: 'abc',
      GITHUB_RUN_ID: '42',
      RUNNER_DEBUG: '1',
      GITHUB_WORKFLOW: 'CI',
      GITHUB_JOB: 'check',
      GITHUB_ACTION: '__run',
      GITHUB_EVENT_PATH: '/the/event',
    });
    expect(readEnvironment()).toEqual({
      workspace: '/the/workspace',
      temporaryFolder: '/the/temp',
      hasSummary: true,
      eventName: 'pull_request',
      hasOidc: true,
      github: {
        apiUrl: 'https://github.example/api/v3',
        serverUrl: 'https://github.example',
        repository: 'octo-org/octo-repo',
        sha: 'abc',
        runId: '42',
        workflow: 'CI',
        job: 'check',
        step: '__run',
        eventPath: '/the/event',
      },
      proxy: { HTTPS_PROXY: 'http://upper.example:3128', no_proxy: 'lower.example' },
      credentials: { keys: ['secret-access-key', 'github-token'], passwords: [] },
      isDebug: true,
      nodeVersion: process.versions.node,
      trustsAnyCertificate: false,
      inputNames: expect.arrayContaining(['GITHUB_TOKEN', 'FUNCTION-NAME']),
      aws: {
        endpoints: [],
        hasLogs: true,
        halfKey: { set: 'AWS_SECRET_ACCESS_KEY', empty: 'AWS_ACCESS_KEY_ID' },
        defaultRegion: 'eu-north-1',
      },
    });
  });

  test("outside a runner has the machine's values", () => {
    expect(readEnvironment()).toEqual({
      workspace: process.cwd(),
      temporaryFolder: tmpdir(),
      hasSummary: false,
      eventName: '',
      hasOidc: false,
      github: {
        apiUrl: 'https://api.github.com',
        serverUrl: 'https://github.com',
        repository: '',
        sha: '',
        runId: '',
        workflow: '',
        job: '',
        step: '',
        eventPath: undefined,
      },
      proxy: {},
      credentials: { keys: [], passwords: [] },
      isDebug: false,
      nodeVersion: process.versions.node,
      trustsAnyCertificate: false,
      inputNames: [],
      aws: { endpoints: [], hasLogs: true },
    });
  });

  test.each(['HTTPS_PROXY', 'https_proxy', 'HTTP_PROXY', 'http_proxy', 'NO_PROXY', 'no_proxy'])(
    'has the proxy variable %s',
    (name) => {
      process.env[name] = 'value.example';
      expect(readEnvironment().proxy[name]).toBe('value.example');
    },
  );

  test.each([
    ['0', true],
    ['1', false],
  ])('has no NODE_TLS_REJECT_UNAUTHORIZED=%s after it was read', (value, trustsAnyCertificate) => {
    process.env['NODE_TLS_REJECT_UNAUTHORIZED'] = value;
    expect(readEnvironment().trustsAnyCertificate).toBe(trustsAnyCertificate);
    expect(process.env['NODE_TLS_REJECT_UNAUTHORIZED']).toBeUndefined();
    expect(readEnvironment().trustsAnyCertificate).toBe(false);
  });

  test('is frozen, so that it cannot change during the run', () => {
    const environment = readEnvironment();
    expect([Object.isFrozen(environment), Object.isFrozen(environment.proxy)]).toEqual([true, true]);
  });
});
