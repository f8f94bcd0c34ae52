import { describe, expect, test } from '@jest/globals';
import { LineSplitter, readLog } from '../commands.ts';

const texts = (stdout: string): string[] => readLog(stdout).lines.map(({ text }) => text);

describe('a line is read as a command', () => {
  test.each([
    ['::error title=a%3A b%2C::first%0Asecond %2525', { title: 'a: b,', message: 'first\nsecond %25' }],
    [' \t::Error::x::y', { title: '', message: 'x::y' }],
    ['text ##[error title=a%3Bb;other=1]x%5D', { title: 'a;b', message: 'x]' }],
    ['::unknown::##[error]x', { title: '', message: 'x' }],
    ['::error Title=a::x', { title: 'a', message: 'x' }],
  ])('in the form of %j', (line, annotation) => {
    expect(readLog(line).annotations).toEqual([{ level: 'error', ...annotation }]);
  });

  test.each([
    ['text before the colons', 'text ::error::x'],
    ['an unknown command name', '::errors::x'],
    ['no closing colons', '::error x'],
    ['no closing bracket', '##[error x'],
    ['a second bracket', '##[no] ##[error]x'],
  ])('unless it has %s', (_, line) => {
    expect(readLog(line)).toMatchObject({ annotations: [], commands: [], lines: [{ text: line }] });
  });

  test.each(['\n', '\r', '\r\n'])('that ends at %j', (end) => {
    expect(readLog(`::error::x${end}${end}text${end}`)).toMatchObject({
      annotations: [{ message: 'x' }],
      lines: [{ kind: 'error' }, { text: '' }, { text: 'text' }],
    });
  });
});

test('a line that arrives in pieces is one line, even if it is split inside a character or a line ending', () => {
  const lines: string[] = [];
  const splitter = new LineSplitter((line) => lines.push(line));
  const bytes = Buffer.from('é\r\n\rend\r');
  for (const byte of bytes) splitter.write(Uint8Array.of(byte));
  splitter.end();
  expect(lines).toEqual(['é', '', 'end']);
});

describe('an annotation', () => {
  test('is cut at 4,096 characters, also in the log', () => {
    const { annotations, lines } = readLog(`::error title=${'t'.repeat(5_000)}::${'x'.repeat(4_096)}y`);
    expect(annotations[0]?.message).toBe('x'.repeat(4_096));
    expect(lines[0]?.text).toBe('x'.repeat(4_096));
    expect(annotations[0]?.title).toHaveLength(5_000);
  });

  test('is masked before it is cut', () => {
    const message = `${'secret'.repeat(1_000)}end`;
    expect(readLog(`::add-mask::secret\n::error::${message}`).annotations[0]?.message).toBe(
      `${'***'.repeat(1_000)}end`,
    );
  });

  test('does not have its title masked', () => {
    expect(readLog('::add-mask::secret\n::error title=a secret::a secret').annotations).toEqual([
      { level: 'error', title: 'a secret', message: 'a ***' },
    ]);
  });

  test('is kept up to ten times per level, then only shown in the log', () => {
    const { annotations, lines } = readLog('::error::e\n'.repeat(12) + '::warning::w\n'.repeat(2));
    expect(annotations.map(({ level }) => level)).toEqual([
      ...Array(10).fill('error'),
      ...Array(2).fill('warning'),
    ]);
    expect(lines).toHaveLength(14);
  });
});

describe('stopped commands', () => {
  test('keep the lines that stop and resume them in the log, with the token masked from there on', () => {
    expect(texts('::stop-commands::a-token\n::error::x\n::a-token::\nthe a-token')).toEqual([
      '::stop-commands::***',
      '::error::x',
      '::***::',
      'the ***',
    ]);
  });

  test('do not mask a token of six characters', () => {
    expect(texts('::stop-commands::sixsix\n::sixsix::')).toEqual(['::stop-commands::sixsix', '::sixsix::']);
  });

  test.each(['  ::A-TOKEN::', 'text ##[a-token]'])('resume after %j', (line) => {
    expect(readLog(`::stop-commands::a-token\n::error::x\n${line}\n::notice::y`).annotations).toEqual([
      { level: 'notice', title: '', message: 'y' },
    ]);
  });

  test.each(['', 'error', 'pause-logging'])('cannot be stopped with the token %j', (token) => {
    expect(() => readLog(`::stop-commands::${token}`)).toThrow('a runner fails a step');
  });
});

test('a mask with several lines masks each line', () => {
  const log = readLog('::add-mask::first%0D%0A second \n::add-mask::  \nfirst and second');
  expect(log.masks).toEqual(['first', 'second']);
  expect(log.lines.map(({ text }) => text)).toEqual(['*** and ***']);
});
