import { Buffer } from 'node:buffer';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { describeJsonProblem, type JsonInput, parseJson } from '../../../src/inputs/json-text.ts';
import { heavyTest } from '../../heavy.ts';
import { SEED } from '../../seed.ts';
import { createJob, eventOf, planFor, problemsFor } from './factory.ts';

/** The problem of a text. Undefined if it is JSON. */
async function said(text: string, input: JsonInput = 'payload'): Promise<string | undefined> {
  const { problem } = await parseJson(text, input);
  return problem && describeJsonProblem(input, problem);
}

const PASTED =
  'If an expression is inserted here, write ${{ toJSON(...) }} around it, without quotes of your own.';
const NO_VALUE =
  'a value is missing. If an expression is inserted here, it was empty: write ${{ toJSON(...) }} around it, without quotes of your own.';
const AS_TEXT =
  'an object or a list was inserted as text, not as JSON. Write ${{ toJSON(...) }} around the expression, without quotes of your own.';
const QUOTES =
  'this value needs double quotes. toJSON() adds them to an expression: "ref": ${{ toJSON(github.ref) }}.';
const ALONE =
  'this is not JSON. A text needs double quotes. toJSON() adds them to an expression: ${{ toJSON(github.ref) }}.';
const KEYS = 'keys need double quotes, as in {"name": 1}.';
const NOT_NUMBER = 'JSON has no NaN and no Infinity. Write null or a number.';
const NUMBERS = 'JSON has numbers such as 1, -0.5 and 1e3. Write this one in that form, or in double quotes.';
const COMMENT = 'JSON has no comments. Remove the comment.';
const TYPOGRAPHIC = 'replace typographic quotes (“ ”) with ".';
const QUOTE_INSIDE =
  'the string ends before this, and text follows. Write \\" for a double quote inside a string. If the string is an expression, write ${{ toJSON(...) }} around it, without quotes of your own.';
const UNEVALUATED =
  'an expression was passed on without being evaluated. Expressions work in "with:", but not in the default of a workflow_dispatch input, in the value of a variable or in a file.';
const SHELL =
  'shell variables are not expanded in "with:". Write an expression, such as ${{ toJSON(github.sha) }}.';
const PATH = 'this looks like a path. Set payload_file to the path of the file, without "file://".';
const YAML =
  'this looks like YAML, and payload takes JSON. To write an event as YAML, set payload in an entry of invocations.';
const BASE64 = 'this looks like base64. Give the JSON itself.';
const MORE_IN_FILE =
  'the JSON ends before this text. Remove the rest. For several events, put each on a line of its own in a .jsonl file.';
const MORE = MORE_IN_FILE.replace(/\.$/, ', and set payload_file to the path of that file.');
const INVISIBLE =
  'this invisible character is not white space in JSON. Replace it with a space, or remove it.';

/** A mistake, the typed text, the line and column of the mistake, and the message. */
type Row = readonly [mistake: string, typed: string, line: number, column: number, advice: string];

const SYNTAX: readonly Row[] = [
  ['a trailing comma', '{"action": "warmup",}', 1, 20, 'remove the comma before "}".'],
  ['a trailing comma in a list', '[1, 2,\n]', 1, 6, 'remove the comma before "]".'],
  [
    'two commas',
    '{"a": 1,, "b": 2}',
    1,
    9,
    'a key and a value are missing before this comma. Remove one comma.',
  ],
  ['an unquoted key', "{action: 'warmup'}", 1, 2, KEYS],
  ['a number for a key', '{1: 2}', 1, 2, KEYS],
  ['no key', '{: 2}', 1, 2, 'a key is missing before ":".'],
  ['a key in single quotes', "{'a': 1}", 1, 2, 'JSON needs double quotes, not single quotes.'],
  ['a value in single quotes', `{"a": 'b'}`, 1, 7, 'JSON needs double quotes, not single quotes.'],
  ['single quotes around the JSON', `'{"a": 1}'`, 1, 1, 'remove the single quotes around the JSON.'],
  ['backticks', '{"a": `b`}', 1, 7, 'JSON needs double quotes, not backticks.'],
  ['a missing comma', '{\n  "a": 1\n  "b": 2\n}', 2, 9, 'a comma is missing after this value.'],
  ['a missing comma on one line', '[1 2]', 1, 3, 'a comma is missing after this value.'],
  ['a missing colon', '{"a" 1}', 1, 5, 'a colon is missing after this key.'],
  ['a key alone', '{"a"}', 1, 5, 'a colon and a value are missing after this key.'],
  ['an equals sign', '{"a"=1}', 1, 5, 'write ":" between a key and its value.'],
  [
    'a second colon',
    '{"a": "b": 1}',
    1,
    10,
    'remove this ":", or add the comma or the key that is missing before it.',
  ],
  ['a key in a list', '["a": 1]', 1, 5, 'a list has no keys. Write { } around a key and its value.'],
  ['no braces', '"a": 1', 1, 4, 'write { } around the keys and values.'],
  ['True of Python', '{"a": True}', 1, 7, 'write true, in lower case.'],
  ['FALSE', '[FALSE]', 1, 2, 'write false, in lower case.'],
  ['None of Python', '{"a": None}', 1, 7, 'write null.'],
  ['undefined of JavaScript', '{"a": undefined}', 1, 7, 'write null.'],
  ['NaN', '[NaN]', 1, 2, NOT_NUMBER],
  ['an infinity', '[-Infinity]', 1, 2, NOT_NUMBER],
  ['a comment', '{\n  // why\n  "a": 1\n}', 2, 3, COMMENT],
  ['a comment of several lines', '{"a": 1 /* why\n*/}', 1, 9, COMMENT],
  ['a comment of a shell', '{\n  "a": 1 # why\n}', 2, 10, COMMENT],
  ['a comment without a space', '{"a": 1, #why\n}', 1, 10, COMMENT],
  ['typographic quotes', '{“a”: 1}', 1, 2, TYPOGRAPHIC],
  ['typographic quotes of another language', '{"a": „b“}', 1, 7, TYPOGRAPHIC],
  ['a typographic quote at the end of a string', '{"a": "b”}', 1, 9, TYPOGRAPHIC],
  ['such a quote before another string', '{"a": "b”, "c": 1}', 1, 9, TYPOGRAPHIC],
  [
    'a leading zero',
    '{"account": 012}',
    1,
    13,
    "a number can't start with 0. Write it in double quotes, or without the 0.",
  ],
  ['a number without its 0', '[.5]', 1, 2, NUMBERS],
  ['a number with a sign', '[+1]', 1, 2, NUMBERS],
  ['a hexadecimal number', '[0x1F]', 1, 2, NUMBERS],
  ['an extra bracket', '{"a": 1}}', 1, 9, 'the JSON ends before this "}". Remove it.'],
  ['a missing bracket', '{"a": [1}', 1, 9, '"]" is missing before this "}".'],
  ['a text cut in an object', '{"a": 1', 1, 8, 'the text ends before the JSON does: "}" is missing.'],
  ['a text cut after a line', '{\n  "a": [\n', 3, 1, 'the text ends before the JSON does: "]" is missing.'],
  ['a text cut in a string', '{"a": "b', 1, 7, 'this string does not end: a double quote (") is missing.'],
  ['a text cut after a comma', '{"a": 1,', 1, 9, 'the text ends before the JSON does: "}" is missing.'],
  ['a text cut after a key', '{"a"', 1, 5, 'the text ends before the JSON does: "}" is missing.'],
  ['a text cut after a colon', '{"a":', 1, 6, 'the text ends before the JSON does: "}" is missing.'],
  ['the wrong bracket after a comma', '{"a": 1, ]', 1, 10, '"}" is missing before this "]".'],
  ['the wrong bracket after a bracket', '[}', 1, 2, '"]" is missing before this "}".'],
  ['a bracket first', '}', 1, 1, 'JSON starts with a value, such as {"name": 1}.'],
  ['escaped quotes', '{\\"a\\": 1}', 1, 2, 'remove the backslash. JSON has backslashes only inside strings.'],
  [
    'a path of Windows',
    '{"a": "C:\\dir"}',
    1,
    11,
    `JSON has no such escape. Write \\\\ for a backslash. ${PASTED}`,
  ],
  [
    'a control character',
    '["\u0001"]',
    1,
    3,
    `a string has a control character in it. Write it as \\u and four digits. ${PASTED}`,
  ],
  ['a no-break space', '{"a":\u00a01}', 1, 6, INVISIBLE],
  ['a zero-width space', '{"a": 1}\u200b', 1, 9, INVISIBLE],
];

const EXPRESSIONS: readonly Row[] = [
  ['an expression not evaluated', '${{ toJSON(github.event) }}', 1, 1, UNEVALUATED],
  ['an expression not evaluated as a value', '{"sha": ${{ github.sha }}}', 1, 9, UNEVALUATED],
  [
    'an expression without its dollar',
    '{{ github.sha }}',
    1,
    2,
    'an object needs keys in double quotes. An expression starts with "${{".',
  ],
  ['a shell variable', '{"sha": $GITHUB_SHA}', 1, 9, SHELL],
  ['a shell variable in braces', '{"sha": ${GITHUB_SHA}}', 1, 9, SHELL],
  ['a variable of PowerShell', '{"sha": $env:GITHUB_SHA}', 1, 9, SHELL],
  ['the output of a command', '$(cat event.txt)', 1, 1, SHELL],
  ['a SHA that starts with a letter', '{"sha": deadbee}', 1, 9, QUOTES],
  ['a SHA that starts with a digit', '{"sha": 4deadbe}', 1, 9, QUOTES],
  ['a SHA of digits and an e', '{"sha": 123e4f}', 1, 9, QUOTES],
  ['a branch', '{"ref": refs/heads/main}', 1, 9, QUOTES],
  ['a version', '{"version": 1.4.2}', 1, 13, QUOTES],
  ['a date', '{"date": 2026-01-31}', 1, 10, QUOTES],
  ['a color', '{"color": #fff}', 1, 11, QUOTES],
  ['a SHA alone', 'deadbeefdeadbeefdeadbeefdeadbeefdeadbeef', 1, 1, ALONE],
  ['a word alone', 'warmup', 1, 1, ALONE],
  ['an object pasted by an expression', '{"data": Object}', 1, 10, AS_TEXT],
  ['a list pasted by an expression', '{"data":\n Array}', 2, 2, AS_TEXT],
  ['an object pasted by JavaScript', '{"data": [object Object]}', 1, 11, AS_TEXT],
  ['an empty expression', '{"sha": }', 1, 9, NO_VALUE],
  ['an empty expression before a comma', '{"a": , "b": 2}', 1, 7, NO_VALUE],
  ['an empty expression in a list', '[1, , 2]', 1, 5, NO_VALUE],
  ['a title with quotes in it', '{"title": "say "hello" now"}', 1, 17, QUOTE_INSIDE],
  ['a key with quotes in it', '{"a "b" c": 1}', 1, 6, QUOTE_INSIDE],
  ['a title with quotes in it alone', '"say "hello" now"', 1, 7, QUOTE_INSIDE],
  [
    'a message of several lines',
    '{"text": "one\ntwo"}',
    1,
    14,
    `a string has a line break in it. Write \\n, or add the double quote that ends the string. ${PASTED}`,
  ],
  ['a text with a tab', '{"text": "one\ttwo"}', 1, 14, `a string has a tab in it. Write \\t. ${PASTED}`],
];

const OTHER_TEXTS: readonly Row[] = [
  ['YAML', 'action: warmup\nregion: eu-west-1', 1, 1, YAML],
  ['YAML after a comment', '# Warm it up.\n\naction: warmup', 1, 1, YAML],
  ['a list of YAML', '- a\n- b', 1, 1, YAML],
  ['YAML with a number for a key', '1: a', 1, 1, YAML],
  ['a path', 'events/health.json', 1, 1, PATH],
  ['a path that starts with a digit', '2026/health.json', 1, 1, PATH],
  ['a path of this folder', './health', 1, 1, PATH],
  ['an absolute path', '/home/runner/work/event.json', 1, 1, PATH],
  ['a path of Windows', 'D:\\a\\event.json', 1, 1, PATH],
  ['a path as the AWS CLI takes it', 'file://events/health.json', 1, 1, PATH],
  ['a path of bytes as the AWS CLI takes it', 'fileb://health', 1, 1, PATH],
  [
    'an HTTP request',
    'GET /health\nAccept: text/plain',
    1,
    1,
    'this looks like an HTTP request: use http_request.',
  ],
  ['base64', Buffer.from('{"action":"warmup"}').toString('base64'), 1, 1, BASE64],
  ['base64 on several lines', 'WyB7CiAg\nImEiOiAx\nfSBd', 1, 1, BASE64],
  ['several documents', '{"a": 1}\n{"b": 2}', 2, 1, MORE],
  ['a word after the end', '{"a": 1} now', 1, 10, MORE],
  ['words that look like a position', '[at position 99]', 1, 2, QUOTES],
  ['words that look like the end', 'end of JSON input', 1, 1, ALONE],
  ['a mistake deep in several lines', '{\n  "a": {\n    "b": [1, nope]\n  }\n}', 3, 14, QUOTES],
  ['a mistake after Windows line breaks', '{\r\n  "a": 1,\r\n  "b": no\r\n}', 3, 8, QUOTES],
];

describe('a payload that is not JSON is rejected with the position and the fix', () => {
  test.each([...SYNTAX, ...EXPRESSIONS, ...OTHER_TEXTS])('%s', async (_, payload, line, column, advice) => {
    expect(await problemsFor({ payload })).toEqual([`payload, line ${line}, column ${column}: ${advice}`]);
  });
});

describe('a payload_file that is not JSON is rejected with advice for files', () => {
  test.each([
    [
      'an expression',
      '{\n  "sha": ${{ github.sha }}\n}',
      'line 2, column 10: expressions are not evaluated in files. Write the value, or set payload instead of payload_file.',
    ],
    [
      'a shell variable',
      '{"sha": $GITHUB_SHA}',
      'line 1, column 9: shell variables are not expanded in files. Write the value itself.',
    ],
    ['an unquoted value', '{"sha": deadbee}', 'line 1, column 9: this value needs double quotes.'],
    ['a missing value', '{"sha": }', 'line 1, column 9: a value is missing.'],
    [
      'an object as text',
      '[object Object]',
      'line 1, column 2: an object or a list was inserted as text, not as JSON.',
    ],
    [
      'a path',
      '../events/health.json',
      'line 1, column 1: the file contains a path, not JSON. Git may have checked out a symlink as a text file.',
    ],
    [
      'YAML',
      'action: warmup\n',
      'line 1, column 1: this looks like YAML, and payload_file takes JSON. To write an event as YAML, set payload in an entry of invocations.',
    ],
    ['several documents', '{"a": 1}\n{"b": 2}\n', `line 2, column 1: ${MORE_IN_FILE}`],
    ['a comment', '{\n  // why\n}', `line 2, column 3: ${COMMENT}`],
  ])('%s', async (_, content, problem) => {
    const job = await createJob({ 'event.json': content });
    expect(await problemsFor({ payload: '', payload_file: 'event.json' }, job)).toEqual([
      `payload_file "event.json", ${problem}`,
    ]);
  });
});

describe('a client_context that is not JSON is rejected with the position and the fix', () => {
  test.each([
    ['a trailing comma', '{"a": 1,}', 'line 1, column 8: remove the comma before "}".'],
    ['an unquoted value', '{\n  "sha": deadbee\n}', `line 2, column 10: ${QUOTES}`],
    ['a second object', '{"a": 1} {}', 'line 1, column 10: the JSON ends before this text. Remove the rest.'],
  ])('%s', async (_, text, problem) => {
    expect(await problemsFor({ client_context: text })).toEqual([`client_context, ${problem}`]);
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

describe('an event that is probably a mistake is sent with a warning', () => {
  const TWICE = 'is a JSON string that contains JSON: the event may be encoded twice.';
  const FROM_FILE = { payload: '', payload_file: 'event.json' };

  test.each([
    [
      'an expression in a string',
      '{\n  "sha": "${{ github.sha }}"\n}',
      'payload contains "${{" (line 2, column 11): an expression was passed on without being evaluated. It is sent as it is.',
    ],
    [
      'a string that holds JSON',
      '"{\\"action\\": \\"warmup\\"}"',
      `payload ${TWICE} If the value is already JSON, remove toJSON().`,
    ],
    [
      'a string that holds a list',
      '"[1]"',
      `payload ${TWICE} If the value is already JSON, remove toJSON().`,
    ],
  ])('%s', async (_, payload, warning) => {
    const { warnings, invocations } = await planFor({ payload });
    expect(warnings).toEqual([warning]);
    expect((await eventOf(invocations[0]?.payload)).toString()).toBe(payload);
  });

  test.each([
    [
      'an expression in a file',
      '{"sha": "${{ github.sha }}"}',
      'contains "${{" (line 1, column 10): expressions are not evaluated in files. It is sent as it is.',
    ],
    ['a string in a file that holds JSON', '"{}"', TWICE],
  ])('%s', async (_, content, warning) => {
    const job = await createJob({ 'event.json': content });
    expect((await planFor(FROM_FILE, job)).warnings).toEqual([`payload_file "event.json" ${warning}`]);
  });

  test('an expression in client_context', async () => {
    expect((await planFor({ client_context: '{"custom": {"sha": "${{ github.sha }}"}}' })).warnings).toEqual([
      'client_context contains "${{" (line 1, column 21): an expression was passed on without being evaluated. It is sent as it is.',
    ]);
  });

  test('warnings name the position in each entry, report inherited values once, and are limited to ten', async () => {
    const own = '- payload: "\\"[]\\""\n';
    const few = await planFor({ payload: '"{}"', invocations: `- {}\n- {}\n${own}` });
    expect(few.warnings).toEqual([
      expect.stringMatching(/^payload is a JSON string/),
      expect.stringMatching(/^invocations, entry 3 \(line 3\): payload is a JSON string/),
    ]);
    const many = await planFor({ invocations: own.repeat(1000) });
    expect(many.warnings).toHaveLength(10);
    expect(many.warnings.at(-1)).toBe('991 more warnings about entries are not shown.');
    const ten = await planFor({ invocations: own.repeat(10) });
    expect(ten.warnings.at(-1)).toBe('1 more warning about an entry is not shown.');
  });

  test.each([
    ['a string', '"{not JSON"'],
    ['a string with a number', '"1"'],
    ['a string inside an object that holds JSON', '{"body": "{\\"a\\": 1}"}'],
    ['dollars and braces', '{"a": "$ {{ }} ${ {"}'],
  ])('and %s is sent without one', async (_, payload) => {
    expect((await planFor({ payload })).warnings).toEqual([]);
  });
});

describe('a hostile text of 6 MB is read in linear time', () => {
  const SIZE = 6_000_000;
  const filled = (piece: string): string => piece.repeat(SIZE / piece.length);

  heavyTest.each([
    ['brackets', filled('[')],
    ['brackets and keys', filled('{"":')],
    ['broken keys', filled('{a')],
    ['items', `[${filled('"",')}`],
    ['quotes', filled('"')],
    ['a string', `"${filled('a')}`],
    ['escapes', `"${filled('\\"')}`],
    ['typographic quotes', `"${filled('\u201d ')}\n`],
    ['a typographic quote and whitespace', `"\u201d${filled(' ')}\n`],
    ['digits', `[${filled('1')}x`],
    ['a word', filled('a')],
    ['whitespace', `${filled(' ')}x`],
    ['lines', `${filled('\n')}x`],
    ['whitespace after a comma', `{"a": 1,${filled(' ')}}`],
    ['a comment', `/*${filled('*')}`],
    ['comments of YAML', filled('#\n')],
    ['base64', filled('eyJh')],
    ['slashes', filled('/')],
    ['backslashes', filled('\\')],
    ['expressions', filled('${{')],
    ['a string of brackets', JSON.stringify(filled('['))],
  ])('%s', async (_, payload) => {
    const before = performance.now();
    const problem = await said(payload);
    // Quadratic time would take hours.
    expect(performance.now() - before).toBeLessThan(20_000);
    if (problem !== undefined) expect(problem.length).toBeLessThan(400);
  });
});

describe('of any JSON with one mistake', () => {
  const MARKER = 'QZX';
  const text = fc.constantFrom(
    '',
    `${MARKER}${MARKER}`,
    `${MARKER} ${MARKER}`,
    `${MARKER}: “${MARKER}”`,
    `\${{ ${MARKER} }}`,
  );
  const { value } = fc.letrec<{ value: unknown }>((tie) => ({
    value: fc.oneof(
      { maxDepth: 4 },
      text,
      fc.constantFrom<unknown>(true, false, null, 0, -1.5e-7, 314_159),
      fc.array(tie('value'), { maxLength: 3 }),
      fc.dictionary(text, tie('value'), { maxKeys: 3 }),
    ),
  }));
  const INSERTED = [
    ...'{}[],:"\'`\\/#$%-+.0eE \t\n“”',
    '//',
    '${{',
    'None',
    'True',
    '\u0000',
    '\ufeff',
    MARKER,
  ];
  const mutation = fc.record({
    at: fc.double({ min: 0, max: 1, noNaN: true }),
    deleted: fc.integer({ min: 0, max: 3 }),
    inserted: fc.constantFrom('', ...INSERTED),
  });
  const inputs = fc.constantFrom<JsonInput>('payload', 'payload_file', 'client_context');

  heavyTest('the position is inside the text, and no part of a value is repeated', async () => {
    await fc.assert(
      fc.asyncProperty(
        value,
        fc.constantFrom('', '  '),
        mutation,
        inputs,
        async (event, indent, change, input) => {
          const json = JSON.stringify(event, null, indent);
          const at = Math.floor(change.at * json.length);
          const typed = json.slice(0, at) + change.inserted + json.slice(at + change.deleted);
          const problem = await said(typed, input);
          if (problem === undefined) {
            expect(() => JSON.parse(typed)).not.toThrow();
            return;
          }
          const [, line = '', column = ''] = /^\w+, line (\d+), column (\d+): \S.*\.$/.exec(problem) ?? [];
          const lines = typed.split('\n');
          expect(Number(line)).toBeGreaterThanOrEqual(1);
          expect(Number(line)).toBeLessThanOrEqual(lines.length);
          expect(Number(column)).toBeGreaterThanOrEqual(1);
          expect(Number(column)).toBeLessThanOrEqual((lines[Number(line) - 1]?.length ?? 0) + 1);
          expect(problem).not.toMatch(/QZ|ZX|314/);
          // The scanner finds a mistake in every text that JSON.parse rejects.
          expect(problem).not.toMatch(/: this is not JSON\.$/);
        },
      ),
      { seed: SEED, numRuns: 3_000 },
    );
  });
});
