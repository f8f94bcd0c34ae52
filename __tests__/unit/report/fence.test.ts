import { describe, expect, test } from '@jest/globals';
import { readLog } from '../../../packages/local-runner/commands.ts';
import { fence } from '../../../src/report/foreign-text.ts';

describe('a fence', () => {
  test('encloses foreign text', () => {
    expect(fence('hello', 'a-token')).toBe('::stop-commands::a-token\nhello\n::a-token::');
  });

  test.each([
    '::error::forged',
    '  ::add-mask::a',
    '##[error]forged',
    'text\n::set-output name=a::b',
    '::stop-commands::other\n::other::\n::warning::forged',
  ])('prevents a runner from reading a line as a command: %j', (foreign) => {
    const log = readLog(`${fence(foreign, 'a-token')}\n::notice::ours\n`);
    expect(log.commands).toEqual(['stop-commands', 'notice']);
    expect(log.annotations).toEqual([{ level: 'notice', title: '', message: 'ours' }]);
  });
});
