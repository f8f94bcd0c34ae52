import { Buffer } from 'node:buffer';
import { gzipSync } from 'node:zlib';
import { describe, expect, test } from '@jest/globals';
import { functionNames, search } from '../../../src/inputs/jmespath.ts';

const evaluate = (expression: string, result: unknown): unknown => search(expression, { result }) ?? null;

describe('a field that every object seems to have', () => {
  test.each(['constructor', 'toString', 'valueOf', 'hasOwnProperty', '__proto__'])(
    '%s is null where the document does not have it',
    (name) => {
      expect(evaluate(`result."${name}"`, { a: 1 })).toBeNull();
      expect(evaluate(`result.list[0]."${name}"`, { list: [{}] })).toBeNull();
      expect(evaluate(`result."${name}" == \`null\``, {})).toBe(true);
      expect(evaluate(`powertools_json(result)."${name}"`, '{"a":[1]}')).toBeNull();
      expect(evaluate(`result."${name}".name`, {})).toBeNull();
    },
  );

  test.each(['constructor', 'toString', '__proto__'])(
    '%s has its value where the document has it',
    (name) => {
      expect(evaluate(`result."${name}"`, JSON.parse(`{"${name}":7}`))).toBe(7);
      expect(evaluate(`powertools_json(result)."${name}"`, `{"${name}":7}`)).toBe(7);
    },
  );

  test('is never a function', () => {
    expect(evaluate('result.{a: a}.toString', { a: 1 })).toBeNull();
    expect(evaluate('[result.{a: a}.toString]', { a: 1 })).toEqual([null]);
  });

  test('is no key of an object, as of no other', () => {
    expect(evaluate('keys(result)', { a: 1, b: 2 })).toEqual(['a', 'b']);
    expect(JSON.stringify(evaluate('result', { a: [{ b: null }] }))).toBe('{"a":[{"b":null}]}');
  });
});

test.each(['reverse(result)', 'sort(result)'])('%s leaves the document as it is', (expression) => {
  const document = { result: [2, 3, 1] };
  search(expression, document);
  expect(document).toEqual({ result: [2, 3, 1] });
});

describe('what a function decodes', () => {
  const gzip = (text: string): string => gzipSync(text).toString('base64');
  const base64 = (text: string): string => Buffer.from(text).toString('base64');

  test.each([
    ['powertools_json(result).a', '{"a":1}', 1],
    ['powertools_json(result).a', '\ufeff{"a":1}', 1],
    ['powertools_base64(result)', base64('Zürich'), 'Zürich'],
    ['powertools_base64_gzip(result)', gzip('Zürich'), 'Zürich'],
    ['powertools_json(powertools_base64_gzip(result)).a', gzip('{"a":1}'), 1],
    ['powertools_json(powertools_base64(result)).a', base64('{"a":1}'), 1],
  ])('%s of %j is %j', (expression, result, value) => {
    expect(evaluate(expression, result)).toEqual(value);
  });

  test.each([
    ['powertools_json(result)', '{"a":1}x'],
    ['powertools_json(result)', `${'['.repeat(502)}${']'.repeat(502)}`],
    ['powertools_base64(result)', 'YQ'],
    ['powertools_base64(result)', 'Y?=='],
    ['powertools_base64_gzip(result)', base64('no gzip')],
    ['powertools_base64_gzip(result)', gzip('a text that is cut').slice(0, 24)],
  ])('%s of %j is null, and an error where it is strict', (expression, result) => {
    expect(evaluate(expression, result)).toBeNull();
    expect(() => search(expression, { result }, { isStrict: true })).toThrow('a text cannot be decoded');
  });

  test('has the arguments that it takes', () => {
    expect(() => evaluate('powertools_json(result)', 7)).toThrow('expected "string"');
    expect(() => evaluate('powertools_base64_gzip()', 7)).toThrow('at least 1 argument');
  });

  test('is named for the messages', () => {
    expect(functionNames()).toEqual(
      expect.arrayContaining(['length', 'powertools_json', 'powertools_base64', 'powertools_base64_gzip']),
    );
  });
});

describe('gzip of far more than was sent', () => {
  const zeros = (mebibytes: number): string =>
    gzipSync(Buffer.alloc(mebibytes * 1024 * 1024)).toString('base64');
  const cut = (base64: string): string => base64.slice(0, -400);

  test.each([
    ['one text', 'length(powertools_base64_gzip(result[0]))', [zeros(33)]],
    ['many texts', 'length(result[*].powertools_base64_gzip(@))', Array(40).fill(zeros(1))],
    [
      'many texts of which none is whole',
      'length(result[*].powertools_base64_gzip(@))',
      Array(9).fill(cut(zeros(20))),
    ],
    ['a text that is asked for in part', "starts_with(powertools_base64_gzip(result[0]), 'x')", [zeros(64)]],
  ])('fails the expression before it fills the memory: %s', (_, expression, result) => {
    const before = process.memoryUsage().rss;
    expect(() => search(expression, { result })).toThrow('powertools_base64_gzip yields more than 32 MiB');
    expect(process.memoryUsage().rss - before).toBeLessThan(400 * 1024 * 1024);
  });

  test('is counted for each evaluation by itself', () => {
    const result = [zeros(20)];
    for (let times = 0; times < 3; times += 1) {
      expect(evaluate('length(powertools_base64_gzip(result[0]))', result)).toBe(20 * 1024 * 1024);
    }
  });
});
