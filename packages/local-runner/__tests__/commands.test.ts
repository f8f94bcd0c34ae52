import { describe, expect, test } from '@jest/globals';
import { LineSplitter, readLog } from '../commands.ts';

const texts = (stdout: string): string[] => readLog(stdout).lines.map(({ text }) => text);

describe('a line is a command', () => {
  test.each([
    ['::error title=a%3A b%2C::first%0Asecond %2525', { title: 'a: b,', message: 'first\nsecond %25' }],
    [' \t::Error::x::y', { title: '', message: 'x::y' }],
    ['text ##[error title=a%3Bb;other=1]x%5D', { title: 'a;b', message: 'x]' }],
    ['::unknown::##[error]x', { title: '', message: 'x' }],
    ['::error Title=a::x', { title: 'a', message: 'x' }],
  ])('where a runner takes it for one: %j', (line, annotation) => {
    expect(readLog(line).annotations).toEqual([{ level: 'error', ...annotation }]);
  });

  test.each([
    ['text before it', 'text ::error::x'],
    ['a name that no command has', '::errors::x'],
    ['no second pair of colons', '::error x'],
    ['no closing bracket', '##[error x'],
    ['a second bracket', '##[no] ##[error]x'],
  ])('but not with %s', (_, line) => {
    expect(readLog(line)).toMatchObject({ annotations: [], commands: [], lines: [{ text: line }] });
  });

  test.each(['\n', '\r', '\r\n'])('and ends at %j', (end) => {
    expect(readLog(`::error::x${end}${end}text${end}`)).toMatchObject({
      annotations: [{ message: 'x' }],
      lines: [{ kind: 'error' }, { text: '' }, { text: 'text' }],
    });
  });
});

test('a line that comes in pieces is one line, cut inside a character or a line end as well', () => {
  const lines: string[] = [];
  const splitter = new LineSplitter((line) => lines.push(line));
  const bytes = Buffer.from('é\r\n\rend\r');
  for (const byte of bytes) splitter.write(Uint8Array.of(byte));
  splitter.end();
  expect(lines).toEqual(['é', '', 'end']);
});

describe('an annotation', () => {
  test('is cut at 4,096 characters, in the log as well', () => {
    const { annotations, lines } = readLog(`::error title=${'t'.repeat(5_000)}::${'x'.repeat(4_096)}y`);
    expect(annotations[0]?.message).toBe('x'.repeat(4_096));
    expect(lines[0]?.text).toBe('x'.repeat(4_096));
    expect(annotations[0]?.title).toHaveLength(5_000);
  });

  test('is cut after it was masked', () => {
    const message = `${'secret'.repeat(1_000)}end`;
    expect(readLog(`::add-mask::secret\n::error::${message}`).annotations[0]?.message).toBe(
      `${'***'.repeat(1_000)}end`,
    );
  });

  test('has a title that is not masked', () => {
    expect(readLog('::add-mask::secret\n::error title=a secret::a secret').annotations).toEqual([
      { level: 'error', title: 'a secret', message: 'a ***' },
    ]);
  });

  test('is kept up to ten of a level, and shown in the log beyond that', () => {
    const { annotations, lines } = readLog('::error::e\n'.repeat(12) + '::warning::w\n'.repeat(2));
    expect(annotations.map(({ level }) => level)).toEqual([
      ...Array(10).fill('error'),
      ...Array(2).fill('warning'),
    ]);
    expect(lines).toHaveLength(14);
  });
});

describe('commands that are stopped', () => {
  test('leave both lines of the fence in the log, the token masked there and after', () => {
    expect(texts('::stop-commands::a-token\n::error::x\n::a-token::\nthe a-token')).toEqual([
      '::stop-commands::***',
      '::error::x',
      '::***::',
      'the ***',
    ]);
  });

  test('leave a token of six characters as it is', () => {
    expect(texts('::stop-commands::sixsix\n::sixsix::')).toEqual(['::stop-commands::sixsix', '::sixsix::']);
  });

  test.each(['  ::A-TOKEN::', 'text ##[a-token]'])('are taken again after %j', (line) => {
    expect(readLog(`::stop-commands::a-token\n::error::x\n${line}\n::notice::y`).annotations).toEqual([
      { level: 'notice', title: '', message: 'y' },
    ]);
  });

  test.each(['', 'error', 'pause-logging'])('can not be stopped with the token %j', (token) => {
    expect(() => readLog(`::stop-commands::${token}`)).toThrow('a runner fails a step');
  });
});

test('a mask of several lines masks each of them', () => {
  const log = readLog('::add-mask::first%0D%0A second \n::add-mask::  \nfirst and second');
  expect(log.masks).toEqual(['first', 'second']);
  expect(log.lines.map(({ text }) => text)).toEqual(['*** and ***']);
});
