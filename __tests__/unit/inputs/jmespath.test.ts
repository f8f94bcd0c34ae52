import { Buffer } from 'node:buffer';
import { gzipSync } from 'node:zlib';
import { describe, expect, test } from '@jest/globals';
import { FUNCTION_NAMES, search } from '../../../src/inputs/jmespath.ts';
import { heavyTest } from '../../heavy.ts';

const evaluate = (expression: string, response: unknown): unknown => search(expression, { response }) ?? null;

describe('a field that every object seems to have', () => {
  test.each(['constructor', 'toString', 'valueOf', 'hasOwnProperty', '__proto__'])(
    '%s is null if the document does not have it',
    (name) => {
      expect(evaluate(`response."${name}"`, { a: 1 })).toBeNull();
      expect(evaluate(`response.list[0]."${name}"`, { list: [{}] })).toBeNull();
      expect(evaluate(`response."${name}" == \`null\``, {})).toBe(true);
      expect(evaluate(`powertools_json(response)."${name}"`, '{"a":[1]}')).toBeNull();
      expect(evaluate(`response."${name}".name`, {})).toBeNull();
    },
  );

  test.each(['constructor', 'toString', '__proto__'])(
    '%s has its value where the document has it',
    (name) => {
      expect(evaluate(`response."${name}"`, JSON.parse(`{"${name}":7}`))).toBe(7);
      expect(evaluate(`powertools_json(response)."${name}"`, `{"${name}":7}`)).toBe(7);
    },
  );

  test('is never a function', () => {
    expect(evaluate('response.{a: a}.toString', { a: 1 })).toBeNull();
    expect(evaluate('[response.{a: a}.toString]', { a: 1 })).toEqual([null]);
  });

  test('is no key of an object, as of no other', () => {
    expect(evaluate('keys(response)', { a: 1, b: 2 })).toEqual(['a', 'b']);
    expect(JSON.stringify(evaluate('response', { a: [{ b: null }] }))).toBe('{"a":[{"b":null}]}');
  });
});

test.each(['reverse(response)', 'sort(response)'])('%s leaves the document as it is', (expression) => {
  const document = { response: [2, 3, 1] };
  search(expression, document);
  expect(document).toEqual({ response: [2, 3, 1] });
});

describe('a function of standard JMESPath', () => {
  test.each([
    ['sort(response)', [10, 9, 1], [1, 9, 10]],
    ['sort(response)', ['b', 'a', 'B'], ['B', 'a', 'b']],
    [
      'sort_by(response, &k)[*].v',
      [
        { k: 2, v: 'x' },
        { k: 1, v: 'y' },
        { k: 2, v: 'z' },
      ],
      ['y', 'x', 'z'],
    ],
    ['max(response)', ['b', 'a', 'B'], 'b'],
    ['min(response)', [10, 9], 9],
    [
      'max_by(response, &k).v',
      [
        { k: 'a', v: 1 },
        { k: 'b', v: 2 },
      ],
      2,
    ],
    [
      'min_by(response, &k).v',
      [
        { k: 'b', v: 1 },
        { k: 'a', v: 2 },
      ],
      2,
    ],
    ['max(response)', [], null],
    ['length(response)', 'Zürich 😀', 8],
    ['length(response)', { a: 1, b: 2 }, 2],
    ['reverse(response)', 'a😀b', 'b😀a'],
    ['reverse(response)', [1, 2], [2, 1]],
    ['to_number(response)', '-1.5e2', -150],
    ['to_number(response)', '', null],
    ['to_number(response)', '0x10', null],
    ['to_number(response)', [1], null],
  ])('%s of %j is %j', (expression, response, value) => {
    expect(evaluate(expression, response)).toEqual(value);
  });

  heavyTest.each(['max(response)', 'sort(response)[-1]', 'reverse(response)[0]', 'length(response)'])(
    '%s takes a list of any length',
    (expression) => {
      expect(evaluate(expression, Array(300_000).fill(300_000))).toBe(300_000);
    },
  );

  test('is none if numbers and strings would have to be ordered', () => {
    expect(() => evaluate('sort_by(response, &k)', [{ k: 1 }, { k: 'a' }])).toThrow('Invalid type');
    expect(() => evaluate('sort(response)', [1, 'a'])).toThrow('Invalid type');
  });
});

describe('what a function decodes', () => {
  const gzip = (text: string): string => gzipSync(text).toString('base64');
  const base64 = (text: string): string => Buffer.from(text).toString('base64');

  test.each([
    ['powertools_json(response).a', '{"a":1}', 1],
    ['powertools_json(response).a', '{"a":9007199254740993}', '9007199254740993'],
    ['powertools_json(response).a', '\ufeff{"a":1}', 1],
    ['powertools_base64(response)', base64('Zürich'), 'Zürich'],
    ['powertools_base64_gzip(response)', gzip('Zürich'), 'Zürich'],
    ['powertools_json(powertools_base64_gzip(response)).a', gzip('{"a":1}'), 1],
    ['powertools_json(powertools_base64(response)).a', base64('{"a":1}'), 1],
  ])('%s of %j is %j', (expression, response, value) => {
    expect(evaluate(expression, response)).toEqual(value);
  });

  test.each([
    ['powertools_json(response)', '{"a":1}x'],
    ['powertools_json(response)', `${'['.repeat(502)}${']'.repeat(502)}`],
    ['powertools_base64(response)', 'YQ'],
    ['powertools_base64(response)', 'Y?=='],
    ['powertools_base64_gzip(response)', base64('no gzip')],
    ['powertools_base64_gzip(response)', gzip('a text that is cut').slice(0, 24)],
  ])('%s of %j is null, and an error where it is strict', (expression, response) => {
    expect(evaluate(expression, response)).toBeNull();
    expect(() => search(expression, { response }, { isStrict: true })).toThrow('a text cannot be decoded');
  });

  test('has the arguments that it takes', () => {
    expect(() => evaluate('powertools_json(response)', 7)).toThrow('argument 1 to be type (string)');
    expect(() => evaluate('powertools_base64_gzip()', 7)).toThrow('takes 1 argument');
  });

  test('is named for the messages', () => {
    expect(FUNCTION_NAMES).toEqual(
      expect.arrayContaining(['length', 'powertools_json', 'powertools_base64', 'powertools_base64_gzip']),
    );
  });
});

describe('gzip of far more than was sent', () => {
  const zeros = (mebibytes: number): string =>
    gzipSync(Buffer.alloc(mebibytes * 1024 * 1024)).toString('base64');
  const cut = (base64: string): string => base64.slice(0, -400);

  heavyTest.each([
    ['one text', 'length(powertools_base64_gzip(response[0]))', () => [zeros(33)]],
    ['many texts', 'length(response[*].powertools_base64_gzip(@))', () => Array(40).fill(zeros(1))],
    [
      'many texts of which none is whole',
      'length(response[*].powertools_base64_gzip(@))',
      () => Array(9).fill(cut(zeros(20))),
    ],
    [
      'a text that is asked for in part',
      "starts_with(powertools_base64_gzip(response[0]), 'x')",
      () => [zeros(64)],
    ],
  ])('fails the expression before it fills the memory: %s', (_, expression, makeResponse) => {
    const response = makeResponse();
    const before = process.memoryUsage().rss;
    expect(() => search(expression, { response })).toThrow('powertools_base64_gzip returns more than 32 MiB');
    expect(process.memoryUsage().rss - before).toBeLessThan(400 * 1024 * 1024);
  });

  heavyTest('is counted for each evaluation by itself', () => {
    const response = [zeros(20)];
    for (let times = 0; times < 3; times += 1) {
      expect(evaluate('length(powertools_base64_gzip(response[0]))', response)).toBe(20 * 1024 * 1024);
    }
  });
});
