import { describe, expect, test } from '@jest/globals';
import type { Invocation } from '../../../src/lambda/invocation.ts';
import { announcement, labelsFor } from '../../../src/outcome/labels.ts';
import { anInvocation } from '../../base.ts';

/** An invocation of a function by its name alone. */
const of = (name: string, given: Partial<Invocation> = {}): Invocation =>
  anInvocation({ functionName: name, reference: { name }, ...given });

const announced = (invocations: readonly Invocation[], jobRegion?: string): string =>
  announcement({ invocations, maxConcurrency: 4, ...(jobRegion !== undefined && { jobRegion }) });

describe('the first line of the log', () => {
  test.each([
    ['its qualifier', of('api', { qualifier: 'live' }), 'Invoking api:live in eu-west-1 (RequestResponse)'],
    [
      'the qualifier in its name',
      of('api:7', { reference: { name: 'api', qualifier: '7' } }),
      'Invoking api:7 in eu-west-1 (RequestResponse)',
    ],
    [
      'a region of its own',
      of('api', { region: 'us-east-1', invocationType: 'Event' }),
      'Invoking api in us-east-1 (Event)',
    ],
    [
      'an ARN, without the account',
      of('arn:aws:lambda:us-east-1:123456789012:function:api', {
        reference: { name: 'api', accountId: '123456789012', region: 'us-east-1' },
        region: 'us-east-1',
      }),
      'Invoking api in us-east-1 (RequestResponse)',
    ],
  ])('names one function with %s', (_, invocation, line) => {
    expect(announced([invocation], 'eu-west-1')).toBe(line);
  });

  test('names no region where only the SDK knows it', () => {
    expect(announced([of('api')])).toBe('Invoking api (RequestResponse)');
  });

  test('says of several how many there are, and with which concurrency', () => {
    expect(announced([of('api'), of('api')], 'eu-west-1')).toBe(
      'Invoking api in eu-west-1 (RequestResponse): 2 invocations, concurrency 4',
    );
    expect(
      announced([of('api'), of('web', { region: 'us-east-1', invocationType: 'Event' })], 'eu-west-1'),
    ).toBe('Invoking 2 functions in 2 regions (RequestResponse, Event): 2 invocations, concurrency 4');
    expect(announced([of('api'), of('web', { region: 'us-east-1' })])).toBe(
      'Invoking 2 functions (RequestResponse): 2 invocations, concurrency 4',
    );
  });

  test('says that a shard has no entry', () => {
    expect(announced([])).toBe('Nothing to invoke: this shard has no entry.');
  });
});

describe('the label of an entry', () => {
  const labelsOf = (invocations: readonly Invocation[]): string[] =>
    invocations.map(labelsFor({ invocations, jobRegion: 'eu-west-1' }).entryOf);

  test('is the function alone where there is one', () => {
    expect(labelsOf([of('api', { qualifier: 'live', tenantId: 'a', index: 7 })])).toEqual(['api:live']);
  });

  test('has the number of the entry, from 1, where there are several', () => {
    expect(labelsOf([of('api'), of('web', { index: 1 })])).toEqual(['api (entry 1)', 'web (entry 2)']);
  });

  test.each([
    [
      'region',
      [of('api', { index: 0 }), of('api', { index: 1, region: 'us-east-1' })],
      ['api in eu-west-1 (entry 1)', 'api in us-east-1 (entry 2)'],
    ],
    [
      'tenant',
      [of('api', { index: 0, tenantId: 'a' }), of('api', { index: 1, tenantId: 'b' })],
      ['api for tenant a (entry 1)', 'api for tenant b (entry 2)'],
    ],
    [
      'account',
      ['1', '2'].map((account, index) =>
        of('api', { index, reference: { name: 'api', accountId: account.repeat(12) } }),
      ),
      ['111111111111:function:api (entry 1)', '222222222222:function:api (entry 2)'],
    ],
  ])('has the %s where the entries differ in it', (_, invocations, labels) => {
    expect(labelsOf(invocations)).toEqual(labels);
  });

  test('begins with the name of the entry, where it has one', () => {
    expect(labelsOf([of('api', { qualifier: 'live', name: 'smoke test' })])).toEqual([
      'smoke test (api:live)',
    ]);
    expect(labelsOf([of('api', { name: 'first' }), of('api', { index: 1 })])).toEqual([
      'first (api, entry 1)',
      'api (entry 2)',
    ]);
  });

  test('has no number in the lines that are counted together', () => {
    const invocations = [of('api'), of('api', { index: 1 })];
    expect(invocations.map(labelsFor({ invocations }).functionOf)).toEqual(['api', 'api']);
  });
});
