import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { SEED } from '../../seed.ts';
import { hostileText, workflowCommand } from './arbitraries.ts';
import { commandsIn, judgeOutput, outputsIn } from './runner-rules.ts';

const names = (stdout: string): string[] => commandsIn(judgeOutput(stdout)).map(({ name }) => name);

describe("the runner's rules", () => {
  test.each([
    ['::error title=a%3A b::first%0Asecond %2525', 'error', { title: 'a: b' }, 'first\nsecond %25'],
    [' \t::add-mask::x::y', 'add-mask', {}, 'x::y'],
    ['before ##[group a=1;b=2]after', 'group', { a: '1', b: '2' }, 'after'],
    ['\u200b::warning::x', 'warning', {}, 'x'],
    ['\u0085::Warning::x', 'warning', {}, 'x'],
    ['#\u200b#[error]x', 'error', {}, 'x'],
  ])('read %j as a command', (line, name, properties, data) => {
    expect(commandsIn(judgeOutput(line))).toEqual([{ name, properties, data }]);
  });

  test.each(['text ::error::x', ':error::x', '# #[error]x', 'a\u2028::error::x'])('read %j as text', (line) =>
    expect(judgeOutput(line).lines).toEqual([{ kind: 'text', line }]),
  );

  test.each(['\r', '\n', '\r\n'])('end a line at %j', (end) => {
    expect(names(`text${end}::error::x${end}`)).toEqual(['error']);
  });

  test.each(['::T::', '  ::t::x', 'a ##[T]', '##[t'])('resume at %j', (line) => {
    expect(judgeOutput(`::stop-commands::T\n::error::x\n${line}\n::notice::y`)).toEqual({
      open: undefined,
      lines: [
        { kind: 'command', command: { name: 'stop-commands', properties: {}, data: 'T' } },
        { kind: 'fenced', line: '::error::x' },
        { kind: 'resume', token: 'T' },
        { kind: 'command', command: { name: 'notice', properties: {}, data: 'y' } },
      ],
    });
  });

  test('report a fence that is not closed', () => {
    expect(judgeOutput('::stop-commands::T\n::U::\n').open).toBe('T');
  });

  test('find a command in every generated command line', () => {
    const all = fc.property(workflowCommand, (line) => {
      expect(names(line)).not.toEqual([]);
    });
    fc.assert(all, { seed: SEED, numRuns: 500 });
  });

  test('find commands in much of the hostile text, so that the defense is really tested', () => {
    const texts = fc.sample(hostileText, { seed: SEED, numRuns: 500 });
    expect(texts.filter((text) => names(text).length > 0).length).toBeGreaterThan(150);
  });
});

describe("the runner's rules for outputs", () => {
  test('read single lines, multiline values and duplicates', () => {
    expect(outputsIn('a=b<<c\nd<<E\n1\r\n\n2=3\nE\nf<<E\nE\na=\n')).toEqual([
      ['a', 'b<<c'],
      ['d', '1\r\n\n2=3'],
      ['f', ''],
      ['a', ''],
    ]);
  });

  test.each(['neither\n', 'a<<E\nno end\n', '<<E\nx\nE\n'])('reject %j', (file) => {
    expect(() => outputsIn(file)).toThrow();
  });
});
