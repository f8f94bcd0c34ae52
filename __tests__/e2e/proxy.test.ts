import { Buffer } from 'node:buffer';
import type { ChildProcess } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { type LocalLambda, startLocalLambda } from '../../packages/local-lambda/server.ts';
import { makeCertificate } from '../../packages/local-proxy/certificate.ts';
import { type Front, startFront } from '../../packages/local-proxy/front.ts';
import { type LocalProxy, startLocalProxy } from '../../packages/local-proxy/server.ts';
import { ECHO, type InvokeStep, invokeStep } from './step.ts';

// The password needs percent-encoding in a URL, so that the value at the proxy proves the decoding.
const USER = 'deployer-Zq7xKv';
const PASSWORD = 'Tz4@w:orD/9mN%';
const LOGIN = `${USER}:${encodeURIComponent(PASSWORD)}`;
const BASIC = Buffer.from(`${USER}:${PASSWORD}`).toString('base64');
const SECRETS = [USER, PASSWORD, encodeURIComponent(PASSWORD), 'Tz4', '9mN', BASIC];

const certificate = makeCertificate(['localhost', '127.0.0.1', '127.0.0.2']);
const pem = 'missing' in certificate ? undefined : certificate;
const withoutTls = 'missing' in certificate ? certificate.missing : undefined;
const tlsSuite = withoutTls === undefined ? describe : describe.skip;
const because = (reason: string | undefined): string => (reason === undefined ? '' : ` (skipped: ${reason})`);
const opened: { close(): Promise<void> }[] = [];
const started = new Set<ChildProcess>();
let lambda: LocalLambda;
let front: Front | undefined;
let proxy: LocalProxy;
let closedPort: number;

/** Registers a cleanup, which runs even if a test fails. */
function kept<T extends { close(): Promise<void> }>(server: T): T {
  opened.push(server);
  return server;
}

beforeAll(async () => {
  lambda = kept(await startLocalLambda({ functions: { echo: { handler: ECHO } } }));
  if (pem) front = kept(await startFront({ targetPort: Number(new URL(lambda.url).port), certificate: pem }));
  proxy = kept(await startLocalProxy({ credentials: { user: USER, password: PASSWORD } }));
  const closed = await startLocalProxy();
  closedPort = closed.port;
  await closed.close();
});
beforeEach(() => {
  lambda.reset();
  proxy.reset();
});
afterEach(() => {
  // A step that a test did not wait for would disturb the next test.
  for (const child of started) child.kill('SIGKILL');
  started.clear();
});
afterAll(async () => {
  await Promise.all(opened.map((server) => server.close()));
  pem?.dispose();
});

const through = (port: number, login = LOGIN): string => `http://${login}@127.0.0.1:${port}`;

function expectNoSecret(step: InvokeStep): void {
  const { stdout, stderr, outputs, summary, outcomeLines } = step;
  const all = [stdout, stderr, summary, ...Object.values(outputs), ...outcomeLines].join('\n');
  for (const secret of SECRETS) expect(all).not.toContain(secret);
}

type Way = Readonly<{
  scheme: 'http' | 'https';
  lower: string;
  upper: string;
  /** The proxy variable of the other scheme. */
  other: string;
  endpoint: () => string;
  method: string;
  target: () => string;
}>;

const HTTP: Way = {
  scheme: 'http',
  lower: 'http_proxy',
  upper: 'HTTP_PROXY',
  other: 'HTTPS_PROXY',
  endpoint: () => lambda.url,
  method: 'POST',
  target: () => `${lambda.url}/2015-03-31/functions/echo/invocations`,
};
const HTTPS: Way = {
  scheme: 'https',
  lower: 'https_proxy',
  upper: 'HTTPS_PROXY',
  other: 'HTTP_PROXY',
  endpoint: () => `https://localhost:${front?.port}`,
  method: 'CONNECT',
  target: () => `localhost:${front?.port}`,
};
const WAYS = [HTTP, HTTPS];

/** Runs a step with these variables. In any case, the proxy's login must not be shown. */
async function proxiedStep(
  way: Way,
  env: Readonly<Record<string, string>>,
  inputs: Readonly<Record<string, string>> = {},
): Promise<InvokeStep> {
  const trust = way.scheme === 'https' && pem ? { NODE_EXTRA_CA_CERTS: pem.file } : {};
  const step = await invokeStep(
    lambda,
    { function_name: 'echo', payload: '{"a":1}', log_type: 'Tail', show_response: 'true', ...inputs },
    {
      env: { AWS_ENDPOINT_URL_LAMBDA: way.endpoint(), ...trust, ...env },
      onStart: (child) => {
        started.add(child);
        child.once('close', () => started.delete(child));
      },
    },
  );
  expectNoSecret(step);
  return step;
}

const message = (step: InvokeStep): string =>
  step.annotations.map((annotation) => annotation.message).join('\n');

function expectSucceeded(step: InvokeStep): void {
  expect(message(step)).toBe('');
  expect(step.outputs['outcome']).toBe('succeeded');
  expect(step.outputs['response']).toBe('{"a":1}');
  expect(lambda.executions('echo')).toHaveLength(1);
}

function expectNotInvoked(step: InvokeStep): void {
  expect(step.exitCode).toBe(1);
  expect(step.outputs['outcome']).toBe('not_invoked');
  expect(message(step)).toContain('The function did not run.');
  expect(lambda.requests).toHaveLength(0);
}

/** Closes the proxy's connections once the handler has started. Returns whether that was within 10 s. */
async function cutOnceItRan(): Promise<boolean> {
  for (let waited = 0; waited < 500; waited += 1) {
    if (lambda.executions('echo').length > 0) {
      await lambda.idle();
      proxy.cut();
      return true;
    }
    await sleep(20);
  }
  return false;
}

for (const way of WAYS) {
  const { scheme, lower, upper, other } = way;
  const suite = scheme === 'https' ? tlsSuite : describe;

  suite(`an ${scheme} endpoint${scheme === 'https' ? because(withoutTls) : ''}`, () => {
    const throughProxy = () => ({
      method: way.method,
      target: way.target(),
      authorization: `Basic ${BASIC}`,
    });

    test.each([lower, upper])('is reached through the proxy of %s, with its credentials', async (name) => {
      const step = await proxiedStep(way, { [name]: through(proxy.port) });
      expectSucceeded(step);
      expect(proxy.requests).toEqual([throughProxy()]);
      expect(Object.keys(lambda.requests[0]?.headers ?? {})).not.toContain('proxy-authorization');
    });

    test('is reached through a proxy given without http://', async () => {
      const step = await proxiedStep(way, { [upper]: through(proxy.port).slice('http://'.length) });
      expectSucceeded(step);
      expect(proxy.requests).toEqual([throughProxy()]);
    });

    test('is reached through a proxy given as HTTP://, with a line break after it', async () => {
      const value = `${through(proxy.port).replace('http:', 'HTTP:')}\n`;
      const step = await proxiedStep(way, { [upper]: value });
      expectSucceeded(step);
      expect(proxy.requests).toEqual([throughProxy()]);
    });

    test('is reached through the lowercase proxy variable if both are set', async () => {
      const step = await proxiedStep(way, { [lower]: through(proxy.port), [upper]: through(closedPort) });
      expectSucceeded(step);
      expect(proxy.requests).toEqual([throughProxy()]);
    });

    test.each(['no_proxy', 'NO_PROXY'])('is reached directly where %s names it', async (name) => {
      const host = new URL(way.endpoint()).hostname;
      const step = await proxiedStep(way, {
        [upper]: through(proxy.port),
        [name]: `example.com, ${host}`,
      });
      expectSucceeded(step);
      expect(proxy.requests).toEqual([]);
    });

    test('is not reached through a proxy if no_proxy has its domain', async () => {
      const step = await proxiedStep(
        way,
        {
          AWS_ENDPOINT_URL_LAMBDA: `${scheme}://lambda.eu-west-1.name.invalid`,
          [upper]: through(proxy.port),
          no_proxy: 'localhost, name.invalid',
        },
        { retry: 'never' },
      );
      expectNotInvoked(step);
      expect(message(step)).toMatch(/ENOTFOUND|EAI_AGAIN/);
      expect(proxy.requests).toEqual([]);
    });

    test('uses no_proxy, not NO_PROXY, if both are set', async () => {
      const host = new URL(way.endpoint()).hostname;
      const step = await proxiedStep(way, {
        [upper]: through(proxy.port),
        no_proxy: 'example.com',
        NO_PROXY: host,
      });
      expectSucceeded(step);
      expect(proxy.requests).toEqual([throughProxy()]);
    });

    test(`is reached directly whatever ${other} says`, async () => {
      const step = await proxiedStep(way, { [other]: through(proxy.port) });
      expectSucceeded(step);
      expect(proxy.requests).toEqual([]);
    });

    test.each([
      { what: 'a SOCKS proxy', value: () => `socks5://${LOGIN}@127.0.0.1:${proxy.port}` },
      { what: 'an invalid port', value: () => `http://${LOGIN}@127.0.0.1:${USER}` },
      { what: 'no host', value: () => `http://${LOGIN}@` },
      { what: 'a password with a bare %', value: () => `http://${USER}:Tz4%9mN@127.0.0.1:${proxy.port}` },
    ])('with $what in the variable is an invalid input', async ({ value }) => {
      const step = await proxiedStep(way, { [upper]: value() });
      expect(step.exitCode).toBe(1);
      expect(step.annotations).toEqual([
        {
          level: 'error',
          title: 'Invalid Input',
          message: expect.stringContaining(`The environment variable ${upper} must be the URL of a proxy`),
        },
      ]);
      expect(proxy.requests).toEqual([]);
      expect(lambda.requests).toHaveLength(0);
    });

    test('with a proxy that is down is not invoked, is retried, and the proxy is named', async () => {
      const step = await proxiedStep(way, { [upper]: through(closedPort) }, { retry_seconds: '1' });
      expectNotInvoked(step);
      expect(message(step)).toContain('ECONNREFUSED');
      expect(message(step)).toContain('Check the proxy in HTTPS_PROXY or HTTP_PROXY');
      expect(Number(step.outputs['attempts'])).toBeGreaterThan(1);
    });

    test('with a wrong password is not invoked and not retried', async () => {
      const step = await proxiedStep(way, { [upper]: through(proxy.port, `${USER}:wrong-Tz4-9mN`) });
      expectNotInvoked(step);
      expect(message(step)).toContain('407');
      expect(message(step)).toMatch(/proxy .*credentials/);
      expect(proxy.requests).toHaveLength(1);
      expect(step.outputs['attempts']).toBe('1');
    });

    test.each([
      ['keeps the connection', false],
      ['closes the connection', true],
    ])('with a proxy that forbids it and %s is not invoked and not retried', async (_, hangsUp) => {
      proxy.obstruct(() => ({ kind: 'refuse', status: 403, hangsUp }));
      const step = await proxiedStep(way, { [upper]: through(proxy.port) });
      expectNotInvoked(step);
      expect(message(step)).toContain('403');
      expect(proxy.requests).toHaveLength(1);
      expect(step.outputs['attempts']).toBe('1');
    });

    test('with a connection cut after the handler ran is unknown, once, and the proxy is named', async () => {
      lambda.setFault(() => ({ kind: 'stall', when: 'after' }));
      const [step, cut] = await Promise.all([
        proxiedStep(way, { [upper]: through(proxy.port) }, { timeout_seconds: '20' }),
        cutOnceItRan(),
      ]);
      expect(cut).toBe(true);
      expect(step.exitCode).toBe(1);
      expect(step.outputs['outcome']).toBe('unknown');
      expect(step.outputs['attempts']).toBe('1');
      expect(lambda.executions('echo')).toHaveLength(1);
      expect(proxy.requests).toHaveLength(1);
      expect(message(step)).toContain('not known whether the function ran');
      expect(message(step)).toMatch(/through (?:a|the) proxy/);
    });

    test('with a reused connection that is cut is unknown, and the proxy is named', async () => {
      lambda.setFault((_, n) =>
        n === 0
          ? { kind: 'error', when: 'before', status: 429, type: 'TooManyRequestsException', message: 'Slow' }
          : { kind: 'stall', when: 'after' },
      );
      const [step, cut] = await Promise.all([
        proxiedStep(way, { [upper]: through(proxy.port) }, { timeout_seconds: '20' }),
        cutOnceItRan(),
      ]);
      expect(cut).toBe(true);
      expect(step.outputs['outcome']).toBe('unknown');
      expect(step.outputs['attempts']).toBe('2');
      expect(lambda.executions('echo')).toHaveLength(1);
      expect(message(step)).toMatch(/through (?:a|the) proxy/);
    });

    test('with a proxy that hangs up before forwarding runs at most once', async () => {
      proxy.obstruct((n) => (n === 0 ? { kind: 'hang-up' } : undefined));
      const step = await proxiedStep(way, { [upper]: through(proxy.port) }, { retry_seconds: '10' });
      if (scheme === 'https') {
        // No tunnel was established, so nothing can have run, and the invocation is retried.
        expectSucceeded(step);
        expect(step.outputs['attempts']).toBe('2');
      } else {
        // The proxy had the request, so only the proxy knows what happened to it.
        expect(step.outputs['outcome']).toBe('unknown');
        expect(step.outputs['attempts']).toBe('1');
      }
    });
  });
}

tlsSuite(`a tunnel${because(withoutTls)}`, () => {
  test('that is never established is retried, and nothing is invoked', async () => {
    proxy.obstruct(() => ({ kind: 'hang-up' }));
    const step = await proxiedStep(HTTPS, { HTTPS_PROXY: through(proxy.port) }, { retry_seconds: '1' });
    expectNotInvoked(step);
    expect(Number(step.outputs['attempts'])).toBeGreaterThan(1);
    expect(proxy.requests).toHaveLength(Number(step.outputs['attempts']));
    expect(message(step)).toMatch(/[Pp]roxy/);
  });

  test.each([407, 403, 502])(
    'that the proxy rejects with %i on an open connection ends the step',
    async (status) => {
      proxy.obstruct(() => ({ kind: 'refuse', status }));
      // The proxy keeps its connections open, and the test waits for the process.
      const step = await proxiedStep(HTTPS, { HTTPS_PROXY: through(proxy.port) }, { retry: 'never' });
      expectNotInvoked(step);
      expect(proxy.requests).toHaveLength(1);
    },
  );

  test("that the proxy can't open temporarily is retried", async () => {
    proxy.obstruct((n) => (n === 0 ? { kind: 'refuse', status: 502 } : undefined));
    const step = await proxiedStep(HTTPS, { HTTPS_PROXY: through(proxy.port) }, { retry_seconds: '10' });
    expectSucceeded(step);
    expect(step.outputs['attempts']).toBe('2');
  });

  test('to an untrusted server is not invoked and not retried', async () => {
    const step = await proxiedStep(HTTPS, {
      HTTPS_PROXY: through(proxy.port),
      NODE_EXTRA_CA_CERTS: '',
    });
    expectNotInvoked(step);
    expect(message(step)).toMatch(/SELF_SIGNED/);
    expect(message(step)).toContain('Set NODE_EXTRA_CA_CERTS to the path');
    expect(step.outputs['attempts']).toBe('1');
  });
});

tlsSuite(`a proxy at https://${because(withoutTls)}`, () => {
  let secure: LocalProxy;
  beforeAll(async () => {
    const credentials = { user: USER, password: PASSWORD };
    secure = kept(await startLocalProxy({ ...(pem && { certificate: pem }), credentials }));
  });
  beforeEach(() => secure.reset());
  const secureUrl = (): string => `https://${LOGIN}@localhost:${secure.port}`;
  const trusted = (): string => pem?.file ?? '';

  test.each(WAYS)('leads to an $scheme endpoint', async (way) => {
    const step = await proxiedStep(way, { [way.upper]: secureUrl(), NODE_EXTRA_CA_CERTS: trusted() });
    expectSucceeded(step);
    expect(secure.requests).toHaveLength(1);
  });

  test.each(WAYS)('that is not trusted receives no data for an $scheme endpoint', async (way) => {
    const step = await proxiedStep(way, { [way.upper]: secureUrl(), NODE_EXTRA_CA_CERTS: '' });
    expectNotInvoked(step);
    expect(message(step)).toMatch(/SELF_SIGNED/);
    expect(message(step)).toContain('Set NODE_EXTRA_CA_CERTS to the path');
    expect(step.outputs['attempts']).toBe('1');
    expect(secure.requests).toEqual([]);
  });

  test('that is trusted does not make an endpoint behind it trusted', async () => {
    const other = makeCertificate(['localhost']);
    if ('missing' in other) throw new Error(other.missing);
    try {
      const credentials = { user: USER, password: PASSWORD };
      const trustedProxy = kept(await startLocalProxy({ certificate: other, credentials }));
      const step = await proxiedStep(HTTPS, {
        HTTPS_PROXY: `https://${LOGIN}@localhost:${trustedProxy.port}`,
        NODE_EXTRA_CA_CERTS: other.file,
      });
      expectNotInvoked(step);
      expect(message(step)).toMatch(/SELF_SIGNED/);
      expect(message(step)).toContain('Set NODE_EXTRA_CA_CERTS to the path');
      expect(trustedProxy.requests).toHaveLength(1);
    } finally {
      other.dispose();
    }
  });
});

tlsSuite(`NODE_TLS_REJECT_UNAUTHORIZED=0${because(withoutTls)}`, () => {
  async function expectDistrust(env: Readonly<Record<string, string>>): Promise<void> {
    const off = { NODE_TLS_REJECT_UNAUTHORIZED: '0', NODE_EXTRA_CA_CERTS: '' };
    const step = await proxiedStep(HTTPS, { ...env, ...off });
    const [warning, error, ...others] = step.annotations;
    expect(warning?.message).toContain('NODE_TLS_REJECT_UNAUTHORIZED=0 is ignored');
    expect(error?.message).toMatch(/SELF_SIGNED/);
    expect(others).toEqual([]);
    expectNotInvoked(step);
    expect(step.outputs['attempts']).toBe('1');
  }

  test('does not make an endpoint trusted, and gives a warning', () => expectDistrust({}));

  test('does not make an endpoint trusted behind a proxy', async () => {
    await expectDistrust({ HTTPS_PROXY: through(proxy.port) });
    expect(proxy.requests).toHaveLength(1);
  });

  test('does not make a proxy trusted, which is not even sent its credentials', async () => {
    const secure = kept(await startLocalProxy(pem ? { certificate: pem } : {}));
    await expectDistrust({ HTTPS_PROXY: `https://${LOGIN}@localhost:${secure.port}` });
    expect(secure.requests).toEqual([]);
  });
});

// Linux and Windows have all of 127.0.0.0/8, but macOS only its first address.
const twoHosts = process.platform === 'darwin' ? describe.skip : describe;

twoHosts('a proxy on the port that the endpoint has too', () => {
  let twin: LocalProxy | undefined;
  afterEach(async () => {
    await twin?.close();
    twin = undefined;
  });

  /** A silent proxy on 127.0.0.2, on the port of a server on 127.0.0.1. */
  async function startTwin(port: number, options: { isTls?: boolean } = {}): Promise<LocalProxy> {
    const tls = options.isTls && pem ? { certificate: pem } : {};
    const started = await startLocalProxy({ host: '127.0.0.2', port, ...tls });
    started.obstruct(() => ({ kind: 'silence' }));
    twin = started;
    return started;
  }

  for (const proxyScheme of ['http', 'https'] as const) {
    const test_ = withoutTls === undefined ? test : test.skip;
    test_(
      `at ${proxyScheme}:// that says nothing to CONNECT was sent nothing for an https endpoint`,
      async () => {
        const port = front?.port ?? 0;
        const { requests } = await startTwin(port, { isTls: proxyScheme === 'https' });
        const step = await proxiedStep(
          HTTPS,
          {
            HTTPS_PROXY: `${proxyScheme}://127.0.0.2:${port}`,
            AWS_ENDPOINT_URL_LAMBDA: `https://127.0.0.1:${port}`,
          },
          { timeout_seconds: '2' },
        );
        expect(requests).toEqual([
          { method: 'CONNECT', target: `127.0.0.1:${port}`, authorization: undefined },
        ]);
        expectNotInvoked(step);
        expect(message(step)).toContain('DeadlineExceeded');
        expect(message(step)).toContain('(through a proxy)');
      },
    );
  }

  test('that stays silent may have forwarded a request for an http endpoint', async () => {
    const port = Number(new URL(lambda.url).port);
    const { requests } = await startTwin(port);
    const step = await proxiedStep(
      HTTP,
      { HTTP_PROXY: `http://127.0.0.2:${port}` },
      { timeout_seconds: '2' },
    );
    expect(requests).toHaveLength(1);
    expect(step.outputs['outcome']).toBe('unknown');
    expect(message(step)).toContain('(through a proxy)');
  });
});

// Longer than the connection timeout and the idle timeout.
const LATE_MS = 10_500;

test('a late response is awaited, also through a proxy', async () => {
  const ways = WAYS.filter(({ scheme }) => scheme === 'http' || pem);
  lambda.setFault(() => ({ kind: 'delay', when: 'after', ms: LATE_MS }));
  const steps = await Promise.all(
    ways.map((way) => proxiedStep(way, { [way.upper]: through(proxy.port) }, { timeout_seconds: '20' })),
  );
  expect(steps.map(({ outputs }) => outputs['outcome'])).toEqual(ways.map(() => 'succeeded'));
  expect(steps.map(({ outputs }) => outputs['attempts'])).toEqual(ways.map(() => '1'));
  expect(lambda.executions('echo')).toHaveLength(ways.length);
});
