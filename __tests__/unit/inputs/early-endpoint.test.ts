import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { LambdaClient } from '@aws-sdk/client-lambda';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { earlyEndpointIn, mayUseTls } from '../../../src/inputs/early-endpoint.ts';

const AWS = { hostname: 'lambda.eu-west-1.amazonaws.com', port: 443 };
const ARN = 'arn:aws:lambda:us-east-2:123456789012:function:f';
const URL_IN_JOB = { AWS_ENDPOINT_URL_LAMBDA: 'https://lambda.example:8443/path' };
const AT_URL = { hostname: 'lambda.example', port: 8443 };

let home: string;
beforeEach(() => {
  home = mkdtempSync(path.join(tmpdir(), 'home-'));
});
afterEach(() => rmSync(home, { recursive: true }));

const endpointIn = (variables: Readonly<Record<string, string>> = {}) =>
  earlyEndpointIn({ HOME: home, INPUT_FUNCTION_NAME: 'f', AWS_REGION: 'eu-west-1', ...variables });

describe('the host of the first request', () => {
  test.each([
    ['of AWS_REGION', {}, AWS],
    [
      'of AWS_DEFAULT_REGION, where AWS_REGION is empty',
      { AWS_REGION: '', AWS_DEFAULT_REGION: 'eu-west-1' },
      AWS,
    ],
    ['of the input region', { INPUT_REGION: ' eu-west-1 ', AWS_REGION: 'us-east-1' }, AWS],
    [
      "of the region in the function's ARN",
      { INPUT_FUNCTION_NAME: ARN },
      { ...AWS, hostname: 'lambda.us-east-2.amazonaws.com' },
    ],
    [
      'of the region in a partial ARN',
      { INPUT_FUNCTION_NAME: 'eu-west-1:123456789012:function:f', AWS_REGION: 'us-east-1' },
      AWS,
    ],
    ['of the endpoint for Lambda', { ...URL_IN_JOB, AWS_ENDPOINT_URL: 'https://other.example' }, AT_URL],
    ['of the endpoint for all services', { AWS_ENDPOINT_URL: 'https://lambda.example:8443' }, AT_URL],
    [
      'of an endpoint without a port',
      { AWS_ENDPOINT_URL: 'https://lambda.example' },
      { ...AT_URL, port: 443 },
    ],
    ['of AWS, with NO_PROXY alone', { NO_PROXY: '*' }, AWS],
  ])('is the one %s', (_, variables, endpoint) => {
    expect(endpointIn(variables)).toEqual(endpoint);
  });

  test.each([
    'HTTPS_PROXY',
    'https_proxy',
    'HTTP_PROXY',
    'http_proxy',
    'AWS_PROFILE',
    'AWS_CONFIG_FILE',
    'AWS_SHARED_CREDENTIALS_FILE',
    'AWS_IGNORE_CONFIGURED_ENDPOINT_URLS',
    'AWS_USE_FIPS_ENDPOINT',
    'AWS_USE_DUALSTACK_ENDPOINT',
    'NODE_TLS_REJECT_UNAUTHORIZED',
    'INPUT_INVOCATIONS',
    'INPUT_INVOCATIONS_FILE',
  ])('is not known before the inputs are read, where %s is set', (name) => {
    expect(endpointIn({ [name]: '1' })).toBeUndefined();
    expect(endpointIn({ ...URL_IN_JOB, [name]: '1' })).toBeUndefined();
    expect(endpointIn({ [name]: '' })).toEqual(AWS);
  });

  test.each(['config', 'credentials'])('is not known, where the home directory has .aws/%s', (name) => {
    mkdirSync(path.join(home, '.aws'));
    writeFileSync(path.join(home, '.aws', name), '');
    expect(endpointIn()).toBeUndefined();
    expect(endpointIn({ HOME: '', USERPROFILE: home })).toBeUndefined();
  });

  test.each([
    ['there is no home directory', { HOME: '' }],
    ['no region is named', { AWS_REGION: '' }],
    ['the region is none', { INPUT_REGION: 'eu west' }],
    ['there is no function', { INPUT_FUNCTION_NAME: '' }],
    ['there are several functions', { INPUT_FUNCTION_NAME: 'f\ng' }],
    ['the endpoint is not encrypted', { AWS_ENDPOINT_URL: 'http://lambda.example' }],
    ['the endpoint has a password', { AWS_ENDPOINT_URL: 'https://a:b@lambda.example' }],
    ['the endpoint is an address of IPv6', { AWS_ENDPOINT_URL: 'https://[::1]' }],
    ['the endpoint is no URL', { AWS_ENDPOINT_URL: 'lambda.example' }],
  ])('is not known, where %s', (_, variables) => {
    expect(endpointIn(variables)).toBeUndefined();
  });
});

describe('the endpoint of a region', () => {
  /** The endpoint by the SDK's own rules. */
  function hostOfSdk(region: string): string {
    const client = new LambdaClient({ region });
    const { url } = client.config.endpointProvider({ Region: region, UseFIPS: false, UseDualStack: false });
    client.destroy();
    return url.host;
  }

  test.each([
    ...['us-east-1', 'us-west-2', 'eu-west-1', 'eu-central-2', 'ap-southeast-7', 'sa-east-1', 'ca-west-1'],
    ...['me-central-1', 'af-south-1', 'il-central-1', 'mx-central-1', 'us-gov-west-1', 'us-gov-east-1'],
    ...['cn-north-1', 'cn-northwest-1'],
  ])("%s is the SDK's", (region) => {
    expect(endpointIn({ AWS_REGION: region })).toEqual({ hostname: hostOfSdk(region), port: 443 });
  });

  test.each(['us-iso-east-1', 'us-isob-east-1', 'eu-isoe-west-1', 'eusc-de-east-1'])(
    '%s is left to the SDK',
    (region) => {
      expect(endpointIn({ AWS_REGION: region })).toBeUndefined();
    },
  );
});

describe('TLS', () => {
  test.each([
    ['no endpoint is named', {}],
    ["Lambda's endpoint is at https://", { AWS_ENDPOINT_URL_LAMBDA: 'https://lambda.example' }],
    [
      'only the endpoint of other services is at http://',
      { AWS_ENDPOINT_URL_LAMBDA: 'https://lambda.example', AWS_ENDPOINT_URL: 'http://aws.example' },
    ],
  ])('may be used, where %s', (_, variables) => {
    expect(mayUseTls(variables)).toBe(true);
  });

  test.each([
    ["Lambda's endpoint", { AWS_ENDPOINT_URL_LAMBDA: 'http://lambda.example' }],
    ['the endpoint of all services', { AWS_ENDPOINT_URL: 'HTTP://aws.example' }],
  ])('is not used, where %s is at http://', (_, variables) => {
    expect(mayUseTls(variables)).toBe(false);
  });
});
