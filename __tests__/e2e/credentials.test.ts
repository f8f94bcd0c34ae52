import { Buffer } from 'node:buffer';
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import path from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { type LocalLambda, startLocalLambda } from '../../packages/local-lambda/server.ts';
import { type LocalProxy, startLocalProxy } from '../../packages/local-proxy/server.ts';
import { makeJobFolder } from '../../packages/local-runner/run-step.ts';
import { portOf } from '../../packages/local-server/listening.ts';
import { onPosix } from '../platforms.ts';
import { ECHO, type InvokeStep, invokeStep } from './step.ts';

const SECRET = 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY';
const EXPIRATION = '2999-01-01T00:00:00Z';
const ROLE = 'arn:aws:iam::123456789012:role/deployer';

const stsResponse = (action: string, keyId: string): string =>
  `<${action}Response xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><${action}Result><Credentials>` +
  `<AccessKeyId>${keyId}</AccessKeyId><SecretAccessKey>${SECRET}</SecretAccessKey>` +
  `<SessionToken>session</SessionToken><Expiration>${EXPIRATION}</Expiration>` +
  `</Credentials></${action}Result></${action}Response>`;

const asJson = (keyId: string): string =>
  JSON.stringify({
    ...{ Code: 'Success', Type: 'AWS-HMAC', AccessKeyId: keyId, SecretAccessKey: SECRET },
    ...{ Token: 'session', Expiration: EXPIRATION, LastUpdated: '2026-01-01T00:00:00Z' },
  });

const STS_REFUSAL =
  '<ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><Error><Type>Sender</Type><Code>AccessDenied</Code>' +
  '<Message>Not authorized to perform sts:AssumeRoleWithWebIdentity</Message></Error><RequestId>1</RequestId></ErrorResponse>';

const SSO_RESPONSE = JSON.stringify({
  roleCredentials: {
    ...{ accessKeyId: 'FROMSSO', secretAccessKey: SECRET, sessionToken: 'session' },
    expiration: Date.parse(EXPIRATION),
  },
});

/** The responses of the credentials services: STS, the SSO portal, a container's and an instance's endpoint. */
function responseTo(method: string, url: string, body: string): string | undefined {
  if (body.includes('Action=AssumeRoleWithWebIdentity'))
    return stsResponse('AssumeRoleWithWebIdentity', 'FROMWEBIDENTITY');
  if (body.includes('Action=AssumeRole&')) return stsResponse('AssumeRole', 'FROMROLE');
  if (url.startsWith('/federation/credentials')) return SSO_RESPONSE;
  if (url === '/container') return asJson('FROMCONTAINER');
  if (method === 'PUT' && url === '/latest/api/token') return 'token-of-the-instance';
  if (url === '/latest/meta-data/iam/security-credentials/') return 'deployer';
  if (url === '/latest/meta-data/iam/security-credentials/deployer') return asJson('FROMINSTANCE');
  return undefined;
}

let lambda: LocalLambda;
let places: Server;
let placesUrl: string;
/** A port without a server. */
let closedUrl: string;
let proxy: LocalProxy;

beforeAll(async () => {
  lambda = await startLocalLambda({ functions: { echo: { handler: ECHO } } });
  proxy = await startLocalProxy();
  places = createServer(async (request, response) => {
    if (request.url?.startsWith('/silent')) {
      // At the end, the process must have nothing left to wait for.
      setTimeout(() => response.destroy(), 1_500);
      return;
    }
    if (request.url?.startsWith('/refuses')) {
      response.writeHead(403, { 'content-type': 'text/xml' }).end(STS_REFUSAL);
      return;
    }
    const chunks: Uint8Array[] = [];
    for await (const chunk of request) chunks.push(chunk);
    const text = responseTo(request.method ?? '', request.url ?? '', Buffer.concat(chunks).toString());
    response.writeHead(text === undefined ? 404 : 200).end(text);
  });
  places.listen(0, '127.0.0.1');
  await once(places, 'listening');
  placesUrl = `http://127.0.0.1:${portOf(places)}`;
  const closed = createServer().listen(0, '127.0.0.1');
  await once(closed, 'listening');
  closedUrl = `http://127.0.0.1:${portOf(closed)}`;
  closed.close();
});
beforeEach(() => {
  lambda.reset();
  proxy.reset();
});
afterAll(async () => {
  places.closeAllConnections();
  places.close();
  await Promise.all([lambda.close(), proxy.close()]);
});

// No credentials in the environment: the SDK ignores empty variables.
const NO_KEYS = { AWS_ACCESS_KEY_ID: '', AWS_SECRET_ACCESS_KEY: '' };

const invoked = (
  env: Readonly<Record<string, string>>,
  workspace: Readonly<Record<string, string>> = {},
): Promise<InvokeStep> =>
  invokeStep(lambda, { function_name: 'echo', payload: '{"a":1}', retry: 'never' }, { env, workspace });

const KEYS = `aws_access_key_id = FROMPROFILE\naws_secret_access_key = ${SECRET}\n`;
const SSO_CACHE = `.aws/sso/cache/${createHash('sha1').update('corporate').digest('hex')}.json`;

type Source = Readonly<{
  keyId: string;
  env?: () => Readonly<Record<string, string>>;
  files?: () => Readonly<Record<string, string>>;
}>;

// The workspace is the home folder, and the step's working directory.
const SOURCES: Readonly<Record<string, Source>> = {
  'a profile of the shared files': {
    keyId: 'FROMPROFILE',
    env: () => ({ AWS_PROFILE: 'deploy' }),
    files: () => ({ '.aws/credentials': `[deploy]\n${KEYS}` }),
  },
  'a role that a profile assumes': {
    keyId: 'FROMROLE',
    env: () => ({ AWS_PROFILE: 'role' }),
    files: () => ({
      '.aws/config': `[profile role]\nrole_arn = ${ROLE}\nsource_profile = base\n[profile base]\n${KEYS}`,
    }),
  },
  "a web identity's token": {
    keyId: 'FROMWEBIDENTITY',
    env: () => ({ AWS_WEB_IDENTITY_TOKEN_FILE: 'token', AWS_ROLE_ARN: ROLE }),
    files: () => ({ token: 'header.payload.signature' }),
  },
  'a process': {
    keyId: 'FROMPROCESS',
    env: () => ({ AWS_PROFILE: 'process' }),
    files: () => ({
      '.aws/config': '[profile process]\ncredential_process = cat credentials.json\n',
      'credentials.json': JSON.stringify({
        ...{ Version: 1, AccessKeyId: 'FROMPROCESS', SecretAccessKey: SECRET, Expiration: EXPIRATION },
      }),
    }),
  },
  'single sign-on': {
    keyId: 'FROMSSO',
    env: () => ({ AWS_PROFILE: 'sso', AWS_ENDPOINT_URL_SSO: placesUrl }),
    files: () => ({
      '.aws/config': `[profile sso]\nsso_session = corporate\nsso_account_id = 123456789012\nsso_role_name = deployer\n[sso-session corporate]\nsso_region = eu-west-1\nsso_start_url = https://corporate.example.com/start\n`,
      [SSO_CACHE]: JSON.stringify({ accessToken: 'token', expiresAt: EXPIRATION }),
    }),
  },
  'the container': {
    keyId: 'FROMCONTAINER',
    env: () => ({ AWS_CONTAINER_CREDENTIALS_FULL_URI: `${placesUrl}/container` }),
  },
  'the instance': {
    keyId: 'FROMINSTANCE',
    env: () => ({ AWS_EC2_METADATA_DISABLED: '', AWS_EC2_METADATA_SERVICE_ENDPOINT: placesUrl }),
  },
};

test.each(Object.entries(SOURCES))('credentials are loaded from %s', async (_, { keyId, env, files }) => {
  const step = await invoked(
    { ...NO_KEYS, HOME: '.', AWS_ENDPOINT_URL_STS: placesUrl, ...env?.() },
    files?.() ?? {},
  );
  expect(step.annotations).toEqual([]);
  expect(step.outputs['response']).toBe('{"a":1}');
  expect(lambda.requests[0]?.headers['authorization']).toContain(`Credential=${keyId}/`);
});

const TOKEN = 'eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJyZXBvOm9jdG8ifQ.c2lnbmF0dXJl';
const PASSWORD = 'hunter2-of-the-vault';
const KEY_ID = 'ASIAIOSFODNN7EXAMPLE';
const SECRETS = [TOKEN, PASSWORD, KEY_ID, SECRET];

type Unavailable = Readonly<{
  env: () => Readonly<Record<string, string>>;
  files?: Readonly<Record<string, string>>;
  inputs?: Readonly<Record<string, string>>;
  message: RegExp;
  advice: string;
}>;

const LONG_PATH = 'a/folder/that/is/rather/far/down/on/the/runner/token';
const WEB_IDENTITY = { AWS_WEB_IDENTITY_TOKEN_FILE: 'token', AWS_ROLE_ARN: ROLE };
const processThat = (command: string) => ({
  env: () => ({ AWS_PROFILE: 'process' }),
  files: { '.aws/config': `[profile process]\ncredential_process = ${command}\n` },
});

const UNAVAILABLE: Readonly<Record<string, Unavailable>> = {
  "STS can't be reached": {
    env: () => ({ ...WEB_IDENTITY, AWS_ENDPOINT_URL_STS: closedUrl }),
    files: { token: TOKEN },
    message: /from STS \(AssumeRoleWithWebIdentity\): connect ECONNREFUSED 127\.0\.0\.1:\d+\./,
    advice: 'Check that the runner can reach STS',
  },
  'STS refuses': {
    env: () => ({ ...WEB_IDENTITY, AWS_ENDPOINT_URL_STS: `${placesUrl}/refuses` }),
    files: { token: TOKEN },
    message:
      /from STS \(AssumeRoleWithWebIdentity\): AccessDenied: Not authorized to perform sts:AssumeRoleWithWebIdentity\./,
    advice: "Check the role's trust policy",
  },
  'STS never responds': {
    env: () => ({ ...WEB_IDENTITY, AWS_ENDPOINT_URL_STS: `${placesUrl}/silent` }),
    files: { token: TOKEN },
    inputs: { timeout_seconds: '1' },
    message: /DeadlineExceeded: Could not get credentials within timeout_seconds\./,
    advice: 'Check where the runner gets its AWS credentials from.',
  },
  "the token's file is missing": {
    env: () => ({ ...WEB_IDENTITY, AWS_WEB_IDENTITY_TOKEN_FILE: LONG_PATH }),
    message: new RegExp(
      `from the web identity token file: ENOENT: no such file or directory, open '${LONG_PATH}'`,
    ),
    advice: 'Check AWS_WEB_IDENTITY_TOKEN_FILE',
  },
  'the process fails': processFails(),
  'the process says no more': {
    ...processThat(`sh -c 'exit 3' --password ${PASSWORD}`),
    message: /from credential_process: the command failed\./,
    advice: 'Run the command that credential_process names',
  },
  'the process prints no JSON': {
    ...processThat(`echo ${TOKEN}`),
    message: /from credential_process: Profile process credential_process returned invalid JSON\./,
    advice: 'Run the command that credential_process names',
  },
  "the container's endpoint can't be reached": {
    env: () => ({ AWS_CONTAINER_CREDENTIALS_FULL_URI: `${closedUrl}/container` }),
    message: /from the container credentials endpoint: Error: connect ECONNREFUSED 127\.0\.0\.1:\d+\./,
    advice: 'Check AWS_CONTAINER_CREDENTIALS_FULL_URI',
  },
  "the container's endpoint refuses": {
    env: () => ({
      AWS_CONTAINER_CREDENTIALS_FULL_URI: `${placesUrl}/refuses`,
      AWS_CONTAINER_AUTHORIZATION_TOKEN: TOKEN,
    }),
    message: /from the container credentials endpoint: it did not respond with credentials\./,
    advice: 'Check AWS_CONTAINER_CREDENTIALS_FULL_URI',
  },
  'there is no such profile': {
    env: () => ({ AWS_PROFILE: 'nope' }),
    message: /from the AWS profile: Could not resolve credentials using profile: \[nope\]/,
    advice: 'Check AWS_PROFILE',
  },
};

function processFails(): Unavailable {
  const printed = [
    'vault: no route to host',
    `https://deployer:${PASSWORD}@vault.example.com/login`,
    `{"AccessKeyId":"${KEY_ID}","SecretAccessKey": "${SECRET}"}`,
    `Authorization: Bearer ${TOKEN}`,
    `${SECRET} ${TOKEN} password=${PASSWORD}`,
  ];
  return {
    env: () => ({ AWS_PROFILE: 'process' }),
    files: {
      '.aws/config': `[profile process]\ncredential_process = node fail.js --password ${PASSWORD}\n`,
      'fail.js': `console.error(${JSON.stringify(printed.join('\n'))}); process.exit(1);`,
    },
    message: /from credential_process: the command failed: vault: no route to host /,
    advice: 'Run the command that credential_process names',
  };
}

test.each(Object.entries(UNAVAILABLE))(
  'the step says why there are no credentials, without a secret, if %s',
  async (_, { env, files = {}, inputs = {}, message, advice }) => {
    const step = await invokeStep(
      lambda,
      { function_name: 'echo', payload: '{"a":1}', retry: 'never', ...inputs },
      { env: { ...NO_KEYS, HOME: '.', ...env() }, workspace: files },
    );
    expect(step.outputs['outcome']).toBe('not_invoked');
    const [shown = ''] = step.annotations.map((annotation) => annotation.message);
    expect(shown).toMatch(/^echo: (?:CredentialsUnavailable|DeadlineExceeded): Could not get credentials /);
    expect(shown).toMatch(message);
    expect(shown).toContain(advice);
    for (const text of [step.stdout, step.summary, step.outcomeLines.join()]) {
      for (const secret of SECRETS) expect(text).not.toContain(secret);
    }
    expect(lambda.requests).toHaveLength(0);
  },
);

onPosix('a configuration file that cannot be read to its end does not outlast timeout_seconds', async () => {
  const job = makeJobFolder();
  const pipe = path.join(job.folder, 'config');
  execFileSync('mkfifo', [pipe]);
  const step = await invokeStep(
    lambda,
    { function_name: 'echo', payload: '{"a":1}', timeout_seconds: '1' },
    {
      job,
      env: { AWS_CONFIG_FILE: pipe },
      // Node.js ends only after its thread has opened the pipe.
      onLine: ({ text }) => text.includes('was not invoked') && closeSync(openSync(pipe, 'r+')),
      onStart: (child) => setTimeout(() => child.kill('SIGKILL'), 5_000).unref(),
    },
  );
  job.dispose();
  expect(step.signal).toBeNull();
  expect(step.outputs['outcome']).toBe('not_invoked');
  expect(step.annotations[0]?.message).toContain('DeadlineExceeded');
});

test('the step reports missing credentials', async () => {
  const step = await invoked({ ...NO_KEYS, HOME: '.' });
  expect(step.exitCode).toBe(1);
  expect(step.stdout).not.toContain('Cannot find module');
  expect(step.annotations[0]?.message).toContain('credentials');
  expect(lambda.requests).toHaveLength(0);
});

test.each([
  ['nothing', {}, 'lambda.us-east-1.amazonaws.com:443'],
  ['AWS_USE_FIPS_ENDPOINT', { AWS_USE_FIPS_ENDPOINT: 'true' }, 'lambda-fips.us-east-1.amazonaws.com:443'],
  ['AWS_USE_DUALSTACK_ENDPOINT', { AWS_USE_DUALSTACK_ENDPOINT: 'true' }, 'lambda.us-east-1.api.aws:443'],
  ['AWS_ENDPOINT_URL', { AWS_ENDPOINT_URL: 'https://lambda.example.com:8443' }, 'lambda.example.com:8443'],
])('the endpoint follows %s', async (_, env, target) => {
  // The proxy forwards nothing: it only gets the request for the endpoint.
  proxy.obstruct(() => ({ kind: 'refuse', status: 403 }));
  const step = await invoked({
    AWS_ENDPOINT_URL_LAMBDA: '',
    AWS_REGION: 'us-east-1',
    HTTPS_PROXY: `http://127.0.0.1:${proxy.port}`,
    ...env,
  });
  expect(step.outputs['outcome']).toBe('not_invoked');
  expect(proxy.requests.map((request) => request.target)).toEqual([target]);
});
