import { describe, expect, test } from '@jest/globals';
import { createJob, type Job, planFor, problemsFor } from './factory.ts';

async function jobWith(proxy: Readonly<Record<string, string>>, nodeVersion = '24.5.0'): Promise<Job> {
  const job = await createJob();
  return { ...job, environment: { ...job.environment, proxy, nodeVersion } };
}

describe('the proxy', () => {
  test.each([
    [{ HTTPS_PROXY: 'http://proxy.example:3128' }, { https_proxy: 'http://proxy.example:3128/' }],
    [{ https_proxy: 'https://proxy.example' }, { https_proxy: 'https://proxy.example/' }],
    [{ HTTP_PROXY: 'http://user:pass@proxy.example' }, { http_proxy: 'http://user:pass@proxy.example/' }],
    [{ HTTPS_PROXY: 'proxy.example:3128' }, { https_proxy: 'http://proxy.example:3128/' }],
    [{ HTTPS_PROXY: 'http://upper', https_proxy: 'http://lower' }, { https_proxy: 'http://lower/' }],
    [{ HTTPS_PROXY: 'http://upper', https_proxy: '' }, { https_proxy: 'http://upper/' }],
    [{ NO_PROXY: 'upper.example' }, { no_proxy: 'upper.example,*.upper.example' }],
    [{ NO_PROXY: 'upper.example', no_proxy: 'lower.example' }, { no_proxy: 'lower.example,*.lower.example' }],
    [{ NO_PROXY: 'localhost, Example.COM' }, { no_proxy: 'localhost,*.localhost,Example.COM,*.Example.COM' }],
    [
      { NO_PROXY: '.a.example,*.b.example,c.example:443,*' },
      { no_proxy: '.a.example,*.b.example,c.example:443,*' },
    ],
    [
      { NO_PROXY: '169.254.169.254,10.0.0.1-10.0.0.9,10.0.0.0/8,[::1]' },
      { no_proxy: '169.254.169.254,10.0.0.1-10.0.0.9,10.0.0.0/8,[::1]' },
    ],
    [{}, {}],
  ])('of %j is %j', async (variables, proxy) => {
    expect((await planFor({}, await jobWith(variables))).proxy).toEqual(proxy);
  });

  test.each([
    ['HTTPS_PROXY', 'socks5://user:hunter2@proxy.example'],
    ['https_proxy', 'http://user:hunter2@proxy.example:port'],
    ['HTTP_PROXY', 'http://'],
    ['http_proxy', 'ftp://hunter2'],
  ])('in %s that is not a proxy URL is rejected and not repeated', async (name, value) => {
    expect(await problemsFor({}, await jobWith({ [name]: value }))).toEqual([
      `The environment variable ${name} must be the URL of a proxy, http://host:port or https://host:port; in a user or password, write % as %25. Its value is not shown, as it may hold a password.`,
    ]);
  });

  test.each(['20.20.2', '22.21.0', '24.0.0', '24.4.1'])(
    'is rejected on Node.js %s, which ignores it',
    async (version) => {
      const job = await jobWith({ HTTPS_PROXY: 'http://user:hunter2@proxy.example' }, version);
      expect(await problemsFor({}, job)).toEqual([
        `The environment variable HTTPS_PROXY is set, but Node.js ${version} ignores it and would bypass the proxy. Update the runner to a version that runs actions on Node.js 24.5 or later, or remove the variable.`,
      ]);
      expect(await problemsFor({}, await jobWith({ NO_PROXY: 'lower.example' }, version))).toEqual([]);
    },
  );

  test.each(['24.5.0', '24.19.0', '25.0.0', '26.1.0'])('is used on Node.js %s', async (version) => {
    expect(await problemsFor({}, await jobWith({ http_proxy: 'http://proxy.example' }, version))).toEqual([]);
  });
});

test('NODE_TLS_REJECT_UNAUTHORIZED=0 gets a warning with an alternative', async () => {
  const job = await createJob();
  const environment = { ...job.environment, trustsAnyCertificate: true };
  expect((await planFor({}, { ...job, environment })).warnings).toEqual([
    'NODE_TLS_REJECT_UNAUTHORIZED=0 is ignored: certificates are always verified. To trust a private certificate authority, set NODE_EXTRA_CA_CERTS to the file with its certificate.',
  ]);
  expect((await planFor({})).warnings).toEqual([]);
});
