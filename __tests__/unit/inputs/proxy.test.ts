import { describe, expect, test } from '@jest/globals';
import { createJob, type Job, planFor, problemsFor } from './factory.ts';

async function jobWith(proxy: Readonly<Record<string, string>>): Promise<Job> {
  const job = await createJob();
  return { ...job, environment: { ...job.environment, proxy } };
}

describe('the proxy', () => {
  test.each([
    [{ HTTPS_PROXY: 'http://proxy.example:3128' }, { https_proxy: 'http://proxy.example:3128/' }],
    [{ https_proxy: 'https://proxy.example' }, { https_proxy: 'https://proxy.example/' }],
    [{ HTTP_PROXY: 'http://user:pass@proxy.example' }, { http_proxy: 'http://user:pass@proxy.example/' }],
    [{ HTTPS_PROXY: 'proxy.example:3128' }, { https_proxy: 'http://proxy.example:3128/' }],
    [{ HTTPS_PROXY: 'http://upper', https_proxy: 'http://lower' }, { https_proxy: 'http://lower/' }],
    [{ HTTPS_PROXY: 'http://upper', https_proxy: '' }, { https_proxy: 'http://upper/' }],
    [{ NO_PROXY: 'upper.example' }, { no_proxy: 'upper.example' }],
    [{ NO_PROXY: 'upper.example', no_proxy: 'lower.example' }, { no_proxy: 'lower.example' }],
    [{}, {}],
  ])('of %j is %j', async (variables, proxy) => {
    expect((await planFor({}, await jobWith(variables))).proxy).toEqual(proxy);
  });

  test.each([
    ['HTTPS_PROXY', 'socks5://user:hunter2@proxy.example'],
    ['https_proxy', 'http://user:hunter2@proxy.example:port'],
    ['HTTP_PROXY', 'http://'],
    ['http_proxy', 'ftp://hunter2'],
  ])('in %s that is no URL of one is refused and not repeated', async (name, value) => {
    expect(await problemsFor({}, await jobWith({ [name]: value }))).toEqual([
      `The environment variable ${name} must be the URL of a proxy, http://host:port or https://host:port; in a user or password, write % as %25. Its value is not shown, as it may hold a password.`,
    ]);
  });
});
