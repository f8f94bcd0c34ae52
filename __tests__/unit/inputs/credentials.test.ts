import { Buffer } from 'node:buffer';
import { describe, expect, test } from '@jest/globals';
import type { Variables } from '../../../src/inputs/environment.ts';
import { credentialsIn } from '../../../src/inputs/environment.ts';

const keysOf = (variables: Variables, token = ''): readonly string[] =>
  credentialsIn(variables, { token, proxies: {} }).keys;
const passwordsOf = (...proxies: readonly string[]): readonly string[] =>
  credentialsIn({}, { token: '', proxies: Object.fromEntries(proxies.map((url, at) => [`${at}`, url])) })
    .passwords;

describe('keys', () => {
  test('are the secret access key, the session tokens and the GitHub token, each once', () => {
    const given = {
      AWS_ACCESS_KEY_ID: 'an-id',
      AWS_SECRET_ACCESS_KEY: 'a-key',
      AWS_SESSION_TOKEN: ' a-token\n',
      AWS_CONTAINER_AUTHORIZATION_TOKEN: 'a-key',
    };
    expect(keysOf(given, 'a-github-token')).toEqual(['a-key', 'a-token', 'a-github-token']);
  });

  test('are empty without credentials', () => {
    expect(keysOf({ AWS_SECRET_ACCESS_KEY: '', AWS_SESSION_TOKEN: ' ' })).toEqual([]);
  });
});

describe('a password', () => {
  const basic = (text: string): string => Buffer.from(text).toString('base64');

  test.each([
    ['http://user:p%40ss@proxy.example:3128', ['p%40ss', 'p@ss', basic('user:p@ss')]],
    ['user:pass@proxy.example:3128', ['pass', basic('user:pass')]],
    ['  https://us%20er:pass@proxy.example ', ['pass', basic('us er:pass')]],
    ['http://user:50%@proxy.example', ['50%']],
    ['http://user@proxy.example', []],
    ['http://proxy.example:3128', []],
    ['http://', []],
    ['', []],
  ])('of the proxy %j is %j', (proxy, passwords) => {
    expect(passwordsOf(proxy)).toEqual(passwords);
  });

  test('is found in each proxy', () => {
    expect(passwordsOf('http://a:first@one.example', 'http://a:second@two.example')).toEqual([
      'first',
      basic('a:first'),
      'second',
      basic('a:second'),
    ]);
  });
});
