import { describe, expect, test } from '@jest/globals';
import { awsSettingsIn } from '../../../src/inputs/aws-settings.ts';
import type { Variables } from '../../../src/inputs/environment.ts';
import { createJob, type Job, planFor, problemsFor } from './factory.ts';

async function jobWith(variables: Variables): Promise<Job> {
  const job = await createJob();
  return { ...job, environment: { ...job.environment, aws: awsSettingsIn(variables) } };
}

const problemsWith = async (variables: Variables): Promise<readonly string[]> =>
  problemsFor({}, await jobWith(variables));

describe.each(['AWS_ENDPOINT_URL_LAMBDA', 'AWS_ENDPOINT_URL'])('%s', (name) => {
  test.each(['localhost:4566', '127.0.0.1:9001', 'lambda.internal', 'ftp://host', 'http://', 'https:/host'])(
    '%j is rejected by name, without its value',
    async (value) => {
      expect(await problemsWith({ [name]: value })).toEqual([
        `The environment variable ${name} must be a URL and start with http:// or https://, for example http://localhost:4566.`,
      ]);
    },
  );

  test.each([
    'http://localhost:4566',
    'https://vpce-1.lambda.eu-west-1.vpce.amazonaws.com/',
    'HTTP://host',
    '',
  ])('%j is accepted', async (value) => {
    expect(await problemsWith({ [name]: value })).toEqual([]);
  });

  test('is ignored if the SDK ignores it', async () => {
    expect(await problemsWith({ [name]: 'host', AWS_IGNORE_CONFIGURED_ENDPOINT_URLS: 'true' })).toEqual([]);
  });
});

describe.each(['AWS_USE_FIPS_ENDPOINT', 'AWS_USE_DUALSTACK_ENDPOINT'])('%s', (name) => {
  test.each(['True', 'TRUE', '1', 'yes'])('%j, which the SDK ignores, is rejected', async (value) => {
    expect(await problemsWith({ [name]: value })).toEqual([
      `The environment variable ${name} must be true or false in lower case: the AWS SDK ignores any other value.`,
    ]);
  });

  test.each(['true', 'false', 'False', ''])('%j is accepted', async (value) => {
    expect(await problemsWith({ [name]: value })).toEqual([]);
  });
});

describe('half of an access key', () => {
  const why = '(a secret that does not exist is empty, and a pull request from a fork has no secrets)';

  test.each([
    ['AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY'],
    ['AWS_SECRET_ACCESS_KEY', 'AWS_ACCESS_KEY_ID'],
  ])('is rejected if only %s is set', async (set, empty) => {
    const expected = [`The environment variable ${set} is set, but ${empty} is empty ${why}.`];
    expect(await problemsWith({ [set]: 'AKIAIOSFODNN7EXAMPLE', [empty]: '' })).toEqual(expected);
    expect(await problemsWith({ [set]: 'AKIAIOSFODNN7EXAMPLE' })).toEqual(expected);
  });

  test.each([
    ['if both are set', { AWS_ACCESS_KEY_ID: 'id', AWS_SECRET_ACCESS_KEY: 'key' }],
    ['if neither is set', { AWS_ACCESS_KEY_ID: '', AWS_SECRET_ACCESS_KEY: '' }],
    ['if a profile is used instead', { AWS_ACCESS_KEY_ID: 'id', AWS_PROFILE: 'deploy' }],
  ])('is not reported %s', async (_, variables) => {
    expect(await problemsWith(variables)).toEqual([]);
  });
});

test('AWS_DEFAULT_REGION is in the plan, in case the SDK finds no region', async () => {
  expect(await planFor({}, await jobWith({ AWS_DEFAULT_REGION: 'eu-north-1' }))).toMatchObject({
    defaultRegion: 'eu-north-1',
  });
  expect(await planFor({}, await jobWith({ AWS_DEFAULT_REGION: '' }))).not.toHaveProperty('defaultRegion');
});

describe('CloudWatch has the logs of', () => {
  const EMULATOR = 'http://localhost:4566';

  test.each<[string, Variables]>([
    ['AWS', {}],
    ['a VPC endpoint', { AWS_ENDPOINT_URL_LAMBDA: 'https://vpce-1.lambda.eu-west-1.vpce.amazonaws.com/' }],
    ['AWS in China', { AWS_ENDPOINT_URL_LAMBDA: 'https://lambda.cn-north-1.amazonaws.com.cn' }],
    ['an emulator of several services', { AWS_ENDPOINT_URL: EMULATOR }],
    [
      'an emulator of both',
      { AWS_ENDPOINT_URL_LAMBDA: EMULATOR, AWS_ENDPOINT_URL_CLOUDWATCH_LOGS: EMULATOR },
    ],
    [
      'AWS where endpoints are ignored',
      { AWS_ENDPOINT_URL_LAMBDA: EMULATOR, AWS_IGNORE_CONFIGURED_ENDPOINT_URLS: 'true' },
    ],
  ])('%s', (_, variables) => {
    expect(awsSettingsIn(variables).hasLogs).toBe(true);
  });

  test.each([EMULATOR, 'https://amazonaws.com.example', 'no URL'])(
    'no emulator of Lambda alone: %s',
    (url) => {
      expect(awsSettingsIn({ AWS_ENDPOINT_URL_LAMBDA: url }).hasLogs).toBe(false);
    },
  );
});
