import { describe, expect, test } from '@jest/globals';
import { problemsFor } from './factory.ts';

const TO_JSON = 'write ${{ toJSON(...) }} around the expression, without quotes of your own';

describe('a payload that is no JSON is refused with line, column and cause', () => {
  test.each([
    ['an unquoted word', '{"action": warmup}', 1, 12, TO_JSON],
    ['an unquoted word alone', 'warmup', 1, 1, TO_JSON],
    ['an object pasted by an expression', '{"data": Object}', 1, 10, 'an object or a list was pasted'],
    ['a list pasted by an expression', '{"data":\n Array}', 2, 2, 'an object or a list was pasted'],
    ['a list pasted alone', 'Array', 1, 1, 'an object or a list was pasted'],
    ['a missing value', '{"sha": }', 1, 9, 'a value is missing'],
    ['a missing value before a comma', '{"a": , "b": 2}', 1, 7, 'a value is missing'],
    ['a missing item', '[1, , 2]', 1, 5, 'a value is missing'],
    ['a trailing comma in an object', '{"a": 1,}', 1, 9, ''],
    ['a trailing comma in a list', '[1, 2,]', 1, 7, ''],
    ['a line break in a string', '{"text": "one\ntwo"}', 1, 14, 'a string has a line break or tab inside it'],
    ['a tab in a string', '{"text": "one\ttwo"}', 1, 14, 'a string has a line break or tab inside it'],
    ['an unquoted key', '{action: 1}', 1, 2, ''],
    ['a key in single quotes', "{'action': 1}", 1, 2, 'JSON strings take double quotes'],
    ['a value in single quotes', `{"action": 'warmup'}`, 1, 12, 'JSON strings take double quotes'],
    ['a text cut in an object', '{"a": 1', 1, 8, 'the text ends before the JSON does'],
    ['a text cut in a string', '{"a": "b', 1, 9, 'the text ends before the JSON does'],
    ['a text cut after a line', '{\n  "a": [\n', 3, 1, 'the text ends before the JSON does'],
    ['a word after the end', '{"a": 1} now', 1, 10, TO_JSON],
    ['a second document', '{"a": 1}\n{"b": 2}', 2, 1, TO_JSON],
    ['an error deep in several lines', '{\n  "a": {\n    "b": [1, nope]\n  }\n}', 3, 14, TO_JSON],
    ['an error after Windows line breaks', '{\r\n  "a": 1,\r\n  "b": no\r\n}', 3, 8, TO_JSON],
    ['a comment', '{\n  // why\n  "a": 1\n}', 2, 3, ''],
    ['undefined', '{"a": undefined}', 1, 7, TO_JSON],
    ['NaN', '[NaN]', 1, 2, TO_JSON],
    ['no comma between members', '{"a": 1 "b": 2}', 1, 9, ''],
    ['no colon', '{"a" 1}', 1, 6, ''],
    ['words that look like a position', '[at position 99]', 1, 2, TO_JSON],
    ['words that look like the end', 'end of JSON input', 1, 1, TO_JSON],
  ])('%s', async (_, payload, line, column, cause) => {
    const [problem, ...others] = await problemsFor({ payload });
    expect(problem).toContain(`payload is not valid JSON: line ${line}, column ${column}: `);
    expect(problem).toContain(cause);
    expect(others).toEqual([]);
  });

  test.each([
    ['an unquoted word', '{"password": hunter2}'],
    ['a short text, which a parser would repeat', '[hunter2]'],
    ['a word alone', 'hunter2'],
    ['a line break in a string', '{"password": "hunter2\n"}'],
    ['a cut text', '{"password": "hunter2'],
    ['an unquoted key', '{hunter2: 1}'],
    ['single quotes', "{'hunter2': 1}"],
    ['text after the end', '{"password": "x"} hunter2'],
    ['Object before it', 'Object hunter2'],
  ])('and never repeated: %s', async (_, payload) => {
    const problems = await problemsFor({ payload });
    expect(problems).toHaveLength(1);
    expect(problems.join()).not.toContain('hunter2');
  });

  test('with the remedy that most need', async () => {
    expect(await problemsFor({ payload: '{"data": Object}' })).toEqual([
      `payload is not valid JSON: line 1, column 10: an object or a list was pasted as an expression: ${TO_JSON}.`,
    ]);
  });
});

describe('a payload that is JSON is accepted', () => {
  test.each(['{}', '[]', '"text"', '0', 'true', 'null', '{"a":\r\n\t[1.5e3, "\\u00e9😀"]}'])(
    '%j',
    async (payload) => {
      expect(await problemsFor({ payload })).toEqual([]);
    },
  );
});
