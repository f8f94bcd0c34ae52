import { Buffer } from 'node:buffer';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { type LocalGitHub, startLocalGitHub } from '../../packages/local-github/server.ts';
import { type LocalLambda, startLocalLambda } from '../../packages/local-lambda/server.ts';
import { makeCertificate } from '../../packages/local-proxy/certificate.ts';
import { startFront } from '../../packages/local-proxy/front.ts';
import { type LocalProxy, startLocalProxy } from '../../packages/local-proxy/server.ts';
import { ECHO, type InvokeStep, invokeStep } from './step.ts';

const REPOSITORY = 'octo-org/octo-repo';
const LOGIN = 'deployer:Tz4%40w%3Aord';
const BASIC = `Basic ${Buffer.from('deployer:Tz4@w:ord').toString('base64')}`;
// This machine, under a name for which the toolkit does not bypass the proxy.
const HERE = '0.0.0.0';

const certificate = makeCertificate([HERE]);
const pem = 'missing' in certificate ? undefined : certificate;
const folder = mkdtempSync(path.join(tmpdir(), 'event-'));
const eventFile = path.join(folder, 'event.json');
let lambda: LocalLambda;
let github: LocalGitHub;
let proxy: LocalProxy;

beforeAll(async () => {
  writeFileSync(eventFile, JSON.stringify({ number: 7, pull_request: { number: 7 } }));
  lambda = await startLocalLambda({ functions: { echo: { handler: ECHO } } });
  proxy = await startLocalProxy({ credentials: { user: 'deployer', password: 'Tz4@w:ord' } });
});
beforeEach(async () => {
  proxy.reset();
  github = await startLocalGitHub({
    repositories: { [REPOSITORY]: [{ number: 7, commits: [] }] },
    tokens: { job: { kind: 'installation', access: 'write' } },
  });
});
afterEach(() => github.close());
afterAll(async () => {
  await Promise.all([lambda.close(), proxy.close()]);
  rmSync(folder, { recursive: true });
  pem?.dispose();
});

const portOfGitHub = (): number => Number(new URL(github.url).port);

const commented = (apiUrl: string, env: Readonly<Record<string, string>>): Promise<InvokeStep> =>
  invokeStep(
    lambda,
    { function_name: 'echo', payload: '{}', comment_on_pull_request: 'true' },
    {
      token: 'job',
      env: {
        GITHUB_EVENT_NAME: 'pull_request',
        GITHUB_EVENT_PATH: eventFile,
        GITHUB_API_URL: apiUrl,
        GITHUB_REPOSITORY: REPOSITORY,
        no_proxy: '127.0.0.1',
        ...env,
      },
    },
  );

test('the comment is sent through the proxy of http_proxy, with its credentials', async () => {
  const apiUrl = `http://${HERE}:${portOfGitHub()}`;
  const step = await commented(apiUrl, { http_proxy: `http://${LOGIN}@127.0.0.1:${proxy.port}` });
  expect(step.annotations).toEqual([]);
  expect(github.comments(REPOSITORY, 7)).toHaveLength(1);
  expect(proxy.requests.length).toBeGreaterThan(0);
  for (const { target, authorization } of proxy.requests) {
    expect(target).toContain(new URL(apiUrl).host);
    expect(authorization).toBe(BASIC);
  }
});

(pem ? test : test.skip)('the comment is sent through a tunnel of the proxy of https_proxy', async () => {
  const front = await startFront({
    targetPort: portOfGitHub(),
    host: HERE,
    ...(pem && { certificate: pem }),
  });
  try {
    const step = await commented(`https://${HERE}:${front.port}`, {
      https_proxy: `http://${LOGIN}@127.0.0.1:${proxy.port}`,
      NODE_EXTRA_CA_CERTS: pem?.file ?? '',
    });
    expect(step.annotations).toEqual([]);
    expect(github.comments(REPOSITORY, 7)).toHaveLength(1);
    expect(proxy.requests.length).toBeGreaterThan(0);
    for (const request of proxy.requests) {
      expect(request).toEqual({ method: 'CONNECT', target: `${HERE}:${front.port}`, authorization: BASIC });
    }
  } finally {
    await front.close();
  }
});

test('the comment bypasses the proxy if no_proxy contains GitHub', async () => {
  const step = await commented(`http://${HERE}:${portOfGitHub()}`, {
    http_proxy: `http://${LOGIN}@127.0.0.1:${proxy.port}`,
    no_proxy: `127.0.0.1,${HERE}`,
  });
  expect(step.annotations).toEqual([]);
  expect(github.comments(REPOSITORY, 7)).toHaveLength(1);
  expect(proxy.requests).toEqual([]);
});

test('a proxy that rejects the comment causes a warning, and the step succeeds', async () => {
  const step = await commented(`http://${HERE}:${portOfGitHub()}`, {
    http_proxy: `http://deployer:wrong@127.0.0.1:${proxy.port}`,
  });
  expect(step.exitCode).toBe(0);
  expect(step.annotations).toEqual([
    expect.objectContaining({
      level: 'warning',
      message: expect.stringContaining('The comment on the pull request was not written'),
    }),
  ]);
  expect(github.comments(REPOSITORY, 7)).toEqual([]);
});
