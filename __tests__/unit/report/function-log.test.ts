import { existsSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { FunctionLog, type FunctionLogEnd } from '../../../src/report/function-log.ts';
import { heavyTest } from '../../heavy.ts';
import { stdoutOf } from '../hostile/capture.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'function-log-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const WHOLE: FunctionLogEnd = { readTo: 'whole', isShared: false, isWithheld: false };
const fileOf = (): string => path.join(folder, 'function.log');
const inFile = (): string => readFileSync(fileOf(), 'utf8');

const newLog = (given: Partial<ConstructorParameters<typeof FunctionLog>[0]> = {}): FunctionLog =>
  new FunctionLog({
    file: fileOf(),
    isLive: true,
    title: 'Function log',
    hide: (text) => text.replaceAll('hunter2', '***'),
    ...given,
  });
const events = (...messages: readonly (readonly [timestamp: number, message: string])[]) =>
  messages.map(([timestamp, message]) => ({ timestamp, message: `${message}\n` }));

describe('the log of a function', () => {
  test('is written as it comes, without secrets, and is in the file before its end', () => {
    const log = newLog();
    const shown = stdoutOf(() => log.add(events([1, 'START'], [2, 'the password is hunter2'])));
    expect(shown).toBe('START\nthe password is ***\n');
    expect(inFile()).toBe('START\nthe password is ***\n');
    expect(log.file).toBe(fileOf());
  });

  test('has an event that arrives late where it arrives, and in the file where its time belongs', () => {
    const log = newLog();
    const shown = stdoutOf(() => {
      log.add(events([1, 'START'], [3, 'three']));
      log.add(events([2, 'two'], [4, 'REPORT']));
      log.end(WHOLE);
    });
    expect(shown).toMatch(/^START\nthree\ntwo\nREPORT\n/);
    expect(inFile()).toBe('START\ntwo\nthree\nREPORT\n');
  });

  test('can hold no command for the runner', () => {
    const log = newLog();
    const shown = stdoutOf(() => log.add(events([1, '::error::no']))).split('\n');
    expect(shown[0]).toMatch(/^::stop-commands::/);
    expect(shown[1]).toBe('::error::no');
  });

  test('that is not shown as it comes is written at the end, cut where it is long', () => {
    const log = newLog({ isLive: false, longestShown: 4 });
    const shown = stdoutOf(() => {
      log.add(events([1, 'one'], [2, 'two']));
      log.end(WHOLE);
    });
    expect(shown).toContain('::group::Function log\none\n\n… cut: the first 4 of 7 bytes\n::endgroup::');
    expect(inFile()).toBe('one\ntwo\n');
  });

  test('that is withheld is in neither place', () => {
    const log = newLog({ isLive: false });
    const shown = stdoutOf(() => {
      log.add(events([1, 'one']));
      log.end({ ...WHOLE, isWithheld: true, tail: 'one' });
    });
    expect(shown).toBe('');
    expect(existsSync(fileOf())).toBe(false);
    expect(log.file).toBeUndefined();
  });

  test('that is not complete says so, and is completed with the log tail', () => {
    const log = newLog();
    const shown = stdoutOf(() => {
      log.add(events([1, 'START'], [2, 'one']));
      log.end({ ...WHOLE, readTo: 'part', tail: 'START\none\ntwo\nREPORT\n' });
    });
    expect(shown).toContain(
      '::group::Rest of the function log, from the log tail\ntwo\nREPORT\n::endgroup::',
    );
    expect(shown).toContain('The log may be incomplete.');
    expect(shown.match(/one/g)).toHaveLength(1);
  });

  test('of which nothing was there is the log tail', () => {
    const log = newLog();
    const shown = stdoutOf(() => log.end({ ...WHOLE, readTo: 'none', tail: 'START\nREPORT\n' }));
    expect(shown).toContain('::group::Function log, from the log tail\nSTART\nREPORT\n::endgroup::');
    expect(existsSync(fileOf())).toBe(false);
  });

  test('in a stream that requests share says which lines are shown', () => {
    const shown = stdoutOf(() => newLog().end({ ...WHOLE, isShared: true }));
    expect(shown).toContain('Only lines with the request ID of this invocation are shown.');
  });

  heavyTest('has 64 MiB at most, and says where it is cut', () => {
    const log = newLog({ isLive: false, longestShown: 1_000 });
    const line = 'x'.repeat(1024 * 1024 - 1);
    const shown = stdoutOf(() => {
      for (let at = 0; at < 70; at += 1) log.add([{ timestamp: at, message: line }]);
      log.end(WHOLE);
    });
    expect(statSync(fileOf()).size).toBe(64 * 1024 * 1024);
    expect(shown).toContain('(the first 64 MiB)');
  });
});
