import { Buffer } from 'node:buffer';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { type LocalLambda, startLocalLambda } from '../../local-lambda/server.ts';
import { portOf } from '../../local-proxy/front.ts';
import { type LocalProxy, startLocalProxy } from '../../local-proxy/server.ts';
import { ECHO, type InvokeStep, invokeStep } from './step.ts';

const SECRET = 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY';
const EXPIRATION = '2999-01-01T00:00:00Z';
const ROLE = 'arn:aws:iam::123456789012:role/deployer';

const stsAnswer = (action: string, keyId: string): string =>
  `<${action}Response xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><${action}Result><Credentials>` +
  `<AccessKeyId>${keyId}</AccessKeyId><SecretAccessKey>${SECRET}</SecretAccessKey>` +
  `<SessionToken>session</SessionToken><Expiration>${EXPIRATION}</Expiration>` +
  `</Credentials></${action}Result></${action}Response>`;

const asJson = (keyId: string): string =>
  JSON.stringify({
    ...{ Code: 'Success', Type: 'AWS-HMAC', AccessKeyId: keyId, SecretAccessKey: SECRET },
    ...{ Token: 'session', Expiration: EXPIRATION, LastUpdated: '2026-01-01T00:00:00Z' },
  });

const SSO_ANSWER = JSON.stringify({
  roleCredentials: {
    ...{ accessKeyId: 'FROMSSO', secretAccessKey: SECRET, sessionToken: 'session' },
    expiration: Date.parse(EXPIRATION),
  },
});

/** What the places answer that credentials come from: STS, the portal of SSO, a container's and an instance's. */
function answerTo(method: string, url: string, body: string): string | undefined {
  if (body.includes('Action=AssumeRoleWithWebIdentity'))
    return stsAnswer('AssumeRoleWithWebIdentity', 'FROMWEBIDENTITY');
  if (body.includes('Action=AssumeRole&')) return stsAnswer('AssumeRole', 'FROMROLE');
  if (url.startsWith('/federation/credentials')) return SSO_ANSWER;
  if (url === '/container') return asJson('FROMCONTAINER');
  if (method === 'PUT' && url === '/latest/api/token') return 'token-of-the-instance';
  if (url === '/latest/meta-data/iam/security-credentials/') return 'deployer';
  if (url === '/latest/meta-data/iam/security-credentials/deployer') return asJson('FROMINSTANCE');
  return undefined;
}

let lambda: LocalLambda;
let places: Server;
let placesUrl: string;
let proxy: LocalProxy;

beforeAll(async () => {
  lambda = await startLocalLambda({ functions: { echo: { handler: ECHO } } });
  proxy = await startLocalProxy();
  places = createServer(async (request, response) => {
    const chunks: Uint8Array[] = [];
    for await (const chunk of request) chunks.push(chunk);
    const answer = answerTo(request.method ?? '', request.url ?? '', Buffer.concat(chunks).toString());
    response.writeHead(answer === undefined ? 404 : 200).end(answer);
  });
  places.listen(0, '127.0.0.1');
  await once(places, 'listening');
  placesUrl = `http://127.0.0.1:${portOf(places)}`;
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

// Nothing in the environment: an empty variable is none to the SDK.
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
  'a web identity’s token': {
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

test.each(Object.entries(SOURCES))('credentials come from %s', async (_, { keyId, env, files }) => {
  const step = await invoked(
    { ...NO_KEYS, HOME: '.', AWS_ENDPOINT_URL_STS: placesUrl, ...env?.() },
    files?.() ?? {},
  );
  expect(step.annotations).toEqual([]);
  expect(step.outputs['result']).toBe('{"a":1}');
  expect(lambda.requests[0]?.headers['authorization']).toContain(`Credential=${keyId}/`);
});

test('without any credentials the step says so', async () => {
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
  // The proxy lets nothing through: it is asked for the endpoint, and no more.
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
