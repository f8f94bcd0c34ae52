import { Buffer } from 'node:buffer';
import { describe, expect, test } from '@jest/globals';
import { invocationFor, problemsFor } from './factory.ts';

const base64 = (text: string): string => Buffer.from(text, 'utf8').toString('base64');
/** A JSON object of the given size. */
const objectOf = (bytes: number): string => `{"a":"${'x'.repeat(bytes - 8)}"}`;

describe('client_context', () => {
  test('is encoded if it is a JSON object', async () => {
    expect(await invocationFor({ client_context: '{"custom": {"city": "Zürich"}}' })).toMatchObject({
      clientContext: 'eyJjdXN0b20iOiB7ImNpdHkiOiAiWsO8cmljaCJ9fQ==',
    });
  });

  test.each([
    ['unchanged', 'eyJjdXN0b20iOnt9fQ==', 'eyJjdXN0b20iOnt9fQ=='],
    ['with its line breaks removed', 'eyJjdXN0\nb20iOnt9\r\nfQ==\n', 'eyJjdXN0b20iOnt9fQ=='],
    ['with its spaces removed', 'eyJjdXN0 b20iOnt9 fQ==', 'eyJjdXN0b20iOnt9fQ=='],
    ['with a JSON document that is not an object', 'WzFd', 'WzFd'],
  ])('given as base64 is sent %s', async (_, text, sent) => {
    expect(await invocationFor({ client_context: text })).toMatchObject({ clientContext: sent });
  });

  test('is not sent by default', async () => {
    expect(await invocationFor({ client_context: '' })).not.toHaveProperty('clientContext');
  });

  test.each([
    ['plain text', 'hunter2!'],
    ['text with only base64 characters', 'hunter22'],
    ['a JSON list', '["hunter2"]'],
    ['base64 of plain text', base64('hunter2')],
    ['base64 of broken JSON', base64('{"password": hunter2}')],
    ['base64 without its padding', base64('{"password":"hunter2"}').replace(/=+$/, '')],
    ['base64url', base64('{"password":"hunter2???>>>"}').replace(/[/]/g, '_')],
    ['whitespace between padding', '===='],
  ])('%s is rejected and not repeated', async (_, text) => {
    const problems = await problemsFor({ client_context: text });
    expect(problems).toEqual([
      'client_context must be a JSON object, which the action encodes, or base64 of a JSON document; it is neither.',
    ]);
  });

  test('is rejected with line and column if it is broken JSON', async () => {
    const problems = await problemsFor({ client_context: '{\n  "password": hunter2\n}' });
    expect(problems).toEqual([expect.stringMatching(/^client_context, line 2, column 15: .*toJSON\(/)]);
    expect(problems.join()).not.toContain('hunter2');
  });

  test.each([
    ['an object', objectOf(2685), objectOf(2686)],
    ['base64', base64(objectOf(2685)), base64(objectOf(2688))],
  ])('given as %s can have 3,580 bytes in base64, but not 3,584', async (_, longest, tooLong) => {
    expect((await invocationFor({ client_context: longest })).clientContext).toHaveLength(3580);
    expect(await problemsFor({ client_context: tooLong })).toEqual([
      'client_context is 3584 bytes in base64; Lambda takes at most 3583. Send less, or use the payload.',
    ]);
  });

  test('is also checked if it has no effect', async () => {
    expect(await problemsFor({ invocation_type: 'Event', client_context: 'no!' })).toEqual([
      expect.stringContaining('client_context must be a JSON object'),
    ]);
  });
});
