import { readFileSync } from 'node:fs';
import { createServer, type Server, type ServerResponse } from 'node:http';
import { createRequire } from 'node:module';
import path from 'node:path';
import * as sdk from '@aws-sdk/client-lambda';
import { LambdaClient } from '@aws-sdk/client-lambda';
import { afterEach, describe, expect, test } from '@jest/globals';
import { portOf } from '../../../packages/local-server/listening.ts';
import { Agents } from '../../../src/lambda/agents.ts';
import { LambdaApi } from '../../../src/lambda/api.ts';
import { AttemptProgress, type ResponseHead } from '../../../src/lambda/attempt-progress.ts';
import { classifyFailure } from '../../../src/lambda/evidence.ts';
import { toCredentialsFailure, toFailure, toStopped } from '../../../src/lambda/failures.ts';
import type { InvokeFailure, InvokeResponse } from '../../../src/lambda/invocation.ts';
import { invokeOnce } from '../../../src/lambda/invoke.ts';
import { REAL_TIMING } from '../../../src/lambda/timing.ts';
import { CLASSES_BY_NAME } from '../../failure-classes.ts';
import { invocation } from '../outcome/factory.ts';
import '../realm.ts';

const WAITS = { evidence: 'did_not_run', mayClear: true };
const OVERLOAD = { ...WAITS, isOverload: true };
const UNREACHABLE = { ...WAITS, clearsSoonOrNever: true };
const REFUSED = { evidence: 'did_not_run', mayClear: false };
const UNCERTAIN = { evidence: 'may_have_run', mayClear: true };
const RAN = { evidence: 'ran', mayClear: false };

/** The errors of Invoke in the SDK's declarations. The base class has no fault. */
function errorsOfInvoke(): string[] {
  const main = createRequire(import.meta.url).resolve('@aws-sdk/client-lambda');
  const declaration = path.join(path.dirname(main), '../dist-types/commands/InvokeCommand.d.ts');
  const lines = readFileSync(declaration, 'utf8').matchAll(
    /@throws \{@link (\w+)\} \((?:client|server) fault\)/g,
  );
  return [...lines].map(([, name = '']) => name);
}

/** Errors from Lambda's front end that are not in the API model, with their status. */
const UNMODELLED: Readonly<Record<string, number>> = {
  AccessDeniedException: 403,
  ExpiredTokenException: 403,
  IncompleteSignatureException: 403,
  InvalidSignatureException: 403,
  MissingAuthenticationTokenException: 403,
  RequestEntityTooLargeException: 413,
  RequestTimeTooSkewed: 403,
  Throttling: 400,
  ThrottlingException: 400,
  UnrecognizedClientException: 403,
  ValidationException: 400,
};

/** The status of an error in the SDK's model. */
function statusInModel(name: string): unknown {
  const schema: unknown = Object.entries(sdk).find(([key]) => key === `${name}$`)?.[1];
  return Array.isArray(schema) ? schema[3]?.httpError : undefined;
}

const statusOf = (name: string): number => CLASSES_BY_NAME[name]?.status ?? 0;

describe('the classification table', () => {
  test('has exactly the errors that the SDK declares for Invoke and those of the front end', () => {
    const declared = errorsOfInvoke();
    expect(declared).toHaveLength(43);
    expect(Object.keys(CLASSES_BY_NAME).sort()).toEqual([...declared, ...Object.keys(UNMODELLED)].sort());
  });

  test('has the same status for each as the SDK', () => {
    const table = Object.keys(CLASSES_BY_NAME).map((name) => [name, statusOf(name)]);
    expect(table).toEqual(table.map(([name]) => [name, UNMODELLED[`${name}`] ?? statusInModel(`${name}`)]));
  });

  test('has only errors that the SDK also has at run time', () => {
    expect(errorsOfInvoke().filter((name) => !(name in sdk))).toEqual([]);
  });
});

describe.each([
  {
    what: 'did not run and can be retried',
    verdict: WAITS,
    names: [
      'CodeArtifactUserPendingException',
      'EC2ThrottledException',
      'ENINotReadyException',
      'ResourceConflictException',
      'ResourceNotReadyException',
      'SnapStartNotReadyException',
    ],
  },
  {
    what: 'did not run because of throttling',
    verdict: OVERLOAD,
    names: ['Throttling', 'ThrottlingException', 'TooManyRequestsException'],
  },
  {
    what: 'did not run and would not run on a retry',
    verdict: REFUSED,
    names: [
      ...Object.keys(UNMODELLED).filter((name) => !name.startsWith('Throttling')),
      'CodeArtifactUserDeletedException',
      'CodeArtifactUserFailedException',
      'DurableExecutionAlreadyStartedException',
      'EC2AccessDeniedException',
      'EC2UnexpectedException',
      'EFSMountConnectivityException',
      'EFSMountFailureException',
      'EFSMountTimeoutException',
      'ENILimitReachedException',
      'InvalidParameterValueException',
      'InvalidRequestContentException',
      'InvalidRuntimeException',
      'InvalidSecurityGroupIDException',
      'InvalidSubnetIDException',
      'InvalidZipFileException',
      'KMSAccessDeniedException',
      'KMSDisabledException',
      'KMSInvalidStateException',
      'KMSNotFoundException',
      'ModeNotSupportedException',
      'NoPublishedVersionException',
      'RecursiveInvocationException',
      'RequestTooLargeException',
      'ResourceNotFoundException',
      'S3FilesMountConnectivityException',
      'S3FilesMountFailureException',
      'S3FilesMountTimeoutException',
      'SerializedRequestEntityTooLargeException',
      'ServiceQuotaExceededException',
      'SnapStartRegenerationFailureException',
      'SubnetIPAddressLimitReachedException',
      'UnsupportedMediaTypeException',
    ],
  },
  { what: 'may have run', verdict: UNCERTAIN, names: ['ServiceException'] },
  {
    what: 'ran',
    verdict: RAN,
    names: ['EFSIOException', 'SnapStartException', 'SnapStartTimeoutException'],
  },
])('an error that proves that the function $what', ({ verdict, names }) => {
  test.each(names)('%s', (name) => {
    expect(classifyFailure({ name, statusCode: statusOf(name), sent: true })).toEqual(verdict);
  });
});

describe('an error with a status that contradicts its name', () => {
  const names = Object.keys(CLASSES_BY_NAME);
  const proves = (name: string, statusCode: number): string =>
    classifyFailure({ name, statusCode, sent: true }).evidence;

  test.each([200, 202, 204, 500, 503, 504])('proves nothing with the status %i', (status) => {
    const proven = names.filter(
      (name) => statusOf(name) !== status && proves(name, status) !== 'may_have_run',
    );
    expect(proven).toEqual([]);
  });

  test('is retried with retry: safe only if both the name and the status allow it', () => {
    expect(classifyFailure({ name: 'ResourceConflictException', statusCode: 400, sent: true })).toEqual(
      REFUSED,
    );
    expect(classifyFailure({ name: 'TooManyRequestsException', statusCode: 403, sent: true })).toEqual(
      REFUSED,
    );
  });

  test.each([
    ['ServiceException', 404],
    ['EFSIOException', 404],
    ['SnapStartException', 403],
  ])('may have run if a rejection has the name %s', (name, status) => {
    expect(proves(name, status)).toBe('may_have_run');
  });
});

describe('a response with an unknown error name', () => {
  test.each([
    [200, UNCERTAIN],
    [302, REFUSED],
    [400, REFUSED],
    [401, REFUSED],
    [402, REFUSED],
    [403, REFUSED],
    [404, REFUSED],
    [407, REFUSED],
    [408, UNCERTAIN],
    [409, REFUSED],
    [413, REFUSED],
    [415, REFUSED],
    [429, OVERLOAD],
    [499, UNCERTAIN],
    [500, UNCERTAIN],
    [502, UNCERTAIN],
    [503, UNCERTAIN],
    [504, UNCERTAIN],
  ])('is classified by its status %i', (statusCode, verdict) => {
    expect(classifyFailure({ name: 'SyntaxError', statusCode, sent: true })).toEqual(verdict);
  });

  test.each(['constructor', 'toString', '__proto__'])('is not taken for a known one: %s', (name) => {
    expect(classifyFailure({ name, statusCode: 500, sent: true })).toEqual(UNCERTAIN);
  });
});

test('a tunnel that a proxy rejected did not run the function and can be retried, whatever the status', () => {
  const tunnel = { name: 'Error', code: 'ERR_PROXY_TUNNEL', statusCode: 502, sent: false };
  expect(classifyFailure(tunnel)).toEqual(WAITS);
});

describe('a failure without a response', () => {
  test.each([
    ['EAI_AGAIN', OVERLOAD],
    ['ECONNRESET', WAITS],
    ['ETIMEDOUT', WAITS],
    ['ECONNREFUSED', UNREACHABLE],
    ['EHOSTUNREACH', UNREACHABLE],
    ['ENETUNREACH', UNREACHABLE],
    ['ENOTFOUND', UNREACHABLE],
    ['EPROTO', UNREACHABLE],
    ['ERR_SSL_WRONG_VERSION_NUMBER', UNREACHABLE],
    ['EBUSY', OVERLOAD],
    ['EMFILE', OVERLOAD],
    ['ENFILE', OVERLOAD],
    ['ENOBUFS', OVERLOAD],
    ['ENOMEM', OVERLOAD],
  ])('before anything was sent did not run the function and can be retried: %s', (code, verdict) => {
    expect(classifyFailure({ name: 'Error', code, sent: false })).toEqual(verdict);
  });

  test('from throttling by a credentials service can be retried', () => {
    expect(classifyFailure({ name: 'ThrottlingException', sent: false })).toEqual(OVERLOAD);
  });

  test.each([
    'CERT_HAS_EXPIRED',
    'DEPTH_ZERO_SELF_SIGNED_CERT',
    'ERR_TLS_CERT_ALTNAME_INVALID',
    'SELF_SIGNED_CERT_IN_CHAIN',
    'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
    'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  ])('for an untrusted certificate did not run the function and is not retried: %s', (code) => {
    expect(classifyFailure({ name: 'Error', code, sent: false })).toEqual(REFUSED);
  });

  test.each(['ENOENT', 'EACCES', 'ERR_INVALID_CHAR', 'ERR_INVALID_URL'])(
    'outside the network did not run the function and is not retried: %s',
    (code) => {
      expect(classifyFailure({ name: 'Error', code, sent: false })).toEqual(REFUSED);
    },
  );

  test.each(['CredentialsProviderError', 'TokenProviderError', 'Error', 'TypeError'])(
    'before anything was sent did not run the function and is not retried: %s',
    (name) => {
      expect(classifyFailure({ name, sent: false })).toEqual(REFUSED);
    },
  );

  test.each([
    ['Error', 'ECONNRESET'],
    ['Error', 'EPIPE'],
    ['Error', 'ETIMEDOUT'],
    ['Error', 'ECONNREFUSED'],
    ['Error', 'EMFILE'],
    ['TimeoutError', undefined],
    ['AbortError', undefined],
    ['Error', undefined],
  ])('after it was sent may have run the function: %s %s', (name, code) => {
    expect(classifyFailure({ name, sent: true, ...(code !== undefined && { code }) })).toEqual(UNCERTAIN);
  });
});

const SENT_AT = new Date('2026-01-02T03:04:05.678Z');

/** How far an attempt got: not sent, sent, or a response with this status. */
function attempt(came: { sent?: boolean; head?: ResponseHead; text?: string }): AttemptProgress {
  const progress = new AttemptProgress(() => SENT_AT.getTime());
  if (came.sent) progress.connected();
  if (came.head) progress.receivedHead(came.head);
  if (came.text !== undefined) progress.receivedText(came.text);
  return progress;
}

const UNSENT = attempt({});
const SENT = attempt({ sent: true });

describe('a thrown value', () => {
  test('for a Lambda error has the name from the API and keeps the whole response', () => {
    const error = new sdk.TooManyRequestsException({
      message: 'Rate Exceeded.',
      Reason: 'CallerRateLimitExceeded',
      $metadata: {},
    });
    const head = { statusCode: 429, requestId: 'a-request', retryAfterSeconds: 3 };
    expect(toFailure(error, attempt({ sent: true, head, text: '{}' }))).toEqual({
      kind: 'failure',
      name: 'TooManyRequestsException',
      message: 'Rate Exceeded.',
      evidence: 'did_not_run',
      mayClear: true,
      isOverload: true,
      statusCode: 429,
      requestId: 'a-request',
      reason: 'CallerRateLimitExceeded',
      retryAfterSeconds: 3,
      throughProxy: false,
      sentAt: SENT_AT,
    });
  });

  test('from the network is named by its code', () => {
    const error = Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' });
    expect(toFailure(error, SENT)).toEqual({
      kind: 'failure',
      name: 'ECONNRESET',
      message: 'The connection was reset after the request was sent',
      evidence: 'may_have_run',
      mayClear: true,
      throughProxy: false,
      sentAt: SENT_AT,
    });
  });

  test.each([
    ['ECONNRESET', 'read ECONNRESET', SENT, 'The connection was reset after the request was sent'],
    ['EPIPE', 'write EPIPE', SENT, 'The connection was reset after the request was sent'],
    ['ECONNRESET', 'socket hang up', SENT, 'The connection was closed after the request was sent'],
    ['ECONNRESET', 'read ECONNRESET', UNSENT, 'The connection was reset before the request was sent'],
    ['ETIMEDOUT', 'read ETIMEDOUT', SENT, 'read ETIMEDOUT'],
    [
      'EPROTO',
      'write EPROTO 403D2675587F0000:error:0A000410:SSL routines:ssl3_read_bytes:ssl/tls alert handshake failure:../deps/openssl/openssl/ssl/record/rec_layer_s3.c:918:SSL alert number 40\n',
      UNSENT,
      'The TLS connection failed: ssl/tls alert handshake failure',
    ],
    [
      'ERR_SSL_WRONG_VERSION_NUMBER',
      '40CD8E48497F0000:error:0A00010B:SSL routines:tls_validate_record_header:wrong version number:../deps/openssl/openssl/ssl/record/methods/tlsany_meth.c:77:\n',
      UNSENT,
      'The TLS connection failed: wrong version number',
    ],
  ])('from %s (%s) has a plain message', (code, words, progress, message) => {
    expect(toFailure(Object.assign(new Error(words), { code }), progress)).toMatchObject({
      name: code,
      message,
    });
  });

  test('before anything was sent has no send time', () => {
    const error = Object.assign(new Error('getaddrinfo ENOTFOUND'), { code: 'ENOTFOUND' });
    expect(toFailure(error, UNSENT)).toEqual({
      kind: 'failure',
      name: 'ENOTFOUND',
      message: 'getaddrinfo ENOTFOUND',
      evidence: 'did_not_run',
      mayClear: true,
      clearsSoonOrNever: true,
      throughProxy: false,
    });
  });

  test('for several addresses has the message of the first', () => {
    const refused = Object.assign(new Error('connect ECONNREFUSED ::1:443'), { code: 'ECONNREFUSED' });
    const all = Object.assign(new AggregateError([refused, new Error('another')]), { code: 'ECONNREFUSED' });
    expect(toFailure(all, UNSENT)).toMatchObject({
      name: 'ECONNREFUSED',
      message: 'connect ECONNREFUSED ::1:443',
      evidence: 'did_not_run',
    });
  });

  test('from a credentials service did not run the function', () => {
    const error = Object.assign(new Error('try again'), {
      name: 'InternalFailure',
      $metadata: { httpStatusCode: 500 },
    });
    expect(toFailure(error, UNSENT).evidence).toBe('did_not_run');
  });

  test.each([
    ['a string', 'boom', 'boom'],
    ['a number', 7, '7'],
    ['null', null, 'null'],
    ['undefined', undefined, 'undefined'],
  ])('as %s is still a failure with a message', (_, thrown, message) => {
    expect(toFailure(thrown, UNSENT)).toMatchObject({ name: 'Error', message, evidence: 'did_not_run' });
  });

  test('as an error without a message is still a failure with one', () => {
    expect(toFailure(new Error(''), UNSENT).message).not.toBe('');
  });

  test('with a name that is not a word is named by the status', () => {
    const error = Object.assign(new Error('m'), { name: '::error::x' });
    expect(toFailure(error, attempt({ sent: true, head: { statusCode: 400 }, text: 'y' }))).toMatchObject({
      name: 'HTTP 400',
      message: 'A proxy or firewall responded instead of Lambda: y',
      foreignText: 'y',
      evidence: 'did_not_run',
    });
  });

  test('for a page has the start of the page on one line', () => {
    const page = `<html>\n${'x'.repeat(300)}`;
    const { message } = toFailure(
      new SyntaxError('Unexpected token'),
      attempt({ sent: true, head: { statusCode: 503 }, text: page }),
    );
    expect(message).toBe(`A proxy or firewall responded instead of Lambda: <html> ${'x'.repeat(193)}…`);
  });
});

test.each([
  ['a network that is down', { code: 'ECONNREFUSED' }, true],
  ['a service that is down', { statusCode: 503 }, true],
  ['a service that is busy', { statusCode: 429 }, true],
  ['a rejection', { statusCode: 403 }, false],
  ['a certificate', { code: 'SELF_SIGNED_CERT_IN_CHAIN' }, false],
  ['a missing file', { code: 'ENOENT' }, false],
  ['nothing more', {}, false],
])('credentials that could not be loaded because of %s did not run the function', (_, found, mayClear) => {
  expect(toCredentialsFailure({ message: 'no', ...found }, UNSENT)).toEqual({
    kind: 'failure',
    name: 'CredentialsUnavailable',
    message: 'no',
    evidence: 'did_not_run',
    mayClear,
    ...(mayClear && { clearsSoonOrNever: true }),
    throughProxy: false,
  });
});

test.each([
  ['Pending', WAITS],
  ['Failed', REFUSED],
  ["'Failed'", REFUSED],
])('a conflict with a function in state %s', (state, expected) => {
  const message = `The operation cannot be performed at this time. The function is currently in the following state: ${state}`;
  const conflict = { name: 'ResourceConflictException', statusCode: 409, sent: true };
  expect(classifyFailure({ ...conflict, message })).toEqual(expected);
});

describe('a stopped attempt', () => {
  test.each([
    ['deadline', 'DeadlineExceeded', false],
    ['cancelled', 'Cancelled', false],
    ['connect', 'ConnectTimeout', true],
  ] as const)('by %s before anything was sent did not run the function', (stop, name, mayClear) => {
    expect(toStopped(stop, UNSENT)).toMatchObject({ name, evidence: 'did_not_run', mayClear });
  });

  test.each(['deadline', 'cancelled'] as const)('by %s after it was sent may have run it', (stop) => {
    expect(toStopped(stop, SENT)).toMatchObject({ evidence: 'may_have_run', sentAt: SENT_AT });
  });
});

test.each([
  ['<html>hello</html>', 'A proxy or firewall responded instead of Lambda: <html>hello</html>'],
  ['', 'A proxy or firewall responded instead of Lambda, with an empty response'],
])('a success status that is not from Lambda does not prove that the function ran: %j', (came, message) => {
  const progress = attempt({ sent: true, head: { statusCode: 200 }, text: came });
  expect(toFailure(progress.flawFound('content'), progress)).toMatchObject({
    name: 'HTTP 200',
    message,
    evidence: 'may_have_run',
  });
});

describe('through the SDK', () => {
  const servers: Server[] = [];
  afterEach(() => {
    for (const server of servers.splice(0)) server.close();
  });

  /** The failure of an invocation when the server responds like this. */
  async function invokedAt(
    respond: (response: ServerResponse) => void,
  ): Promise<InvokeResponse | InvokeFailure> {
    const server = createServer((request, response) => {
      request.resume().on('end', () => respond(response));
    });
    servers.push(server);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const client = new LambdaClient({
      region: 'eu-west-1',
      endpoint: `http://127.0.0.1:${portOf(server)}`,
      credentials: { accessKeyId: 'an-access-key', secretAccessKey: 'a-secret' },
      maxAttempts: 1,
    });
    const agents = new Agents({});
    const api = new LambdaApi(client, agents);
    const never = new AbortController().signal;
    try {
      const bounds = { deadline: never, cancel: never, stop: never, timing: REAL_TIMING };
      return await invokeOnce(api, { ...invocation(), payload: Buffer.from('{}') }, bounds);
    } finally {
      api.close();
      agents.destroy();
    }
  }

  test('a Lambda error keeps its name, message, status and request ID', async () => {
    const result = await invokedAt((response) => {
      response.writeHead(404, {
        'content-type': 'application/json',
        'x-amzn-errortype': 'ResourceNotFoundException',
        'x-amzn-requestid': '11111111-2222-3333-4444-555555555555',
      });
      response.end('{"Type":"User","Message":"Function not found: arn:aws:lambda:…"}');
    });
    expect(result).toMatchObject({
      kind: 'failure',
      name: 'ResourceNotFoundException',
      message: 'Function not found: arn:aws:lambda:…',
      evidence: 'did_not_run',
      mayClear: false,
      statusCode: 404,
      requestId: '11111111-2222-3333-4444-555555555555',
    });
  });

  test("a proxy's page is reported with its status and the start of its text, and the function may have run", async () => {
    const result = await invokedAt((response) => {
      response.writeHead(502, { 'content-type': 'text/html' });
      response.end('<html><body>Bad Gateway of the proxy</body></html>');
    });
    expect(result).toMatchObject({
      kind: 'failure',
      message:
        'A proxy or firewall responded instead of Lambda: <html><body>Bad Gateway of the proxy</body></html>',
      evidence: 'may_have_run',
      statusCode: 502,
    });
  });

  test('after a truncated response, the function may have run', async () => {
    const result = await invokedAt((response) => {
      response.writeHead(200, { 'content-type': 'application/json', 'content-length': '100' });
      response.write('{"a":', () => response.destroy());
    });
    expect(result).toMatchObject({ kind: 'failure', evidence: 'may_have_run', sentAt: expect.any(Date) });
  });
});
