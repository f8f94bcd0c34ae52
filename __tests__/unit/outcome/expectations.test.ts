import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { parseTree, search } from '../../../src/inputs/jmespath.ts';
import { check, whyNoValue } from '../../../src/outcome/expectations.ts';
import { heavyTest } from '../../heavy.ts';
import { SEED } from '../../seed.ts';
import { problemsFor } from '../inputs/factory.ts';

const OUTCOME = {
  function_name: 'f',
  attempts: 1,
  outcome: 'succeeded',
  duration_ms: 12.5,
  response: {
    statusCode: 500,
    code: '500',
    ok: false,
    none: null,
    empty: [],
    items: [{ id: 1, tag: 'x' }, { id: 2 }],
    numbers: [1, 2, 3],
    version: '1.4.2',
    body: '{"ok":true,"error":"no stock"}',
    text: 'not JSON',
    'dashed-name': 'a && b',
    long: 'x'.repeat(300),
  },
};
const SIGHT = { search, parseTree, hide: (value: unknown) => value };
const checked = (expression: string) => check(expression, OUTCOME, SIGHT);
const toldOf = (expression: string): string[] => checked(expression).why.split('\n');

describe('an expectation that is met', () => {
  test.each([
    ['response.statusCode == `500`', 500],
    ['`500` == response.statusCode', 500],
    ['powertools_json(response.body).ok == `true`', true],
    ['powertools_json(response.body).ok', true],
    ["outcome == 'succeeded' && duration_ms < `100`", true],
    ['response.missing == response.other || response.statusCode == `500`', true],
    ['length(response.numbers) > `2`', 3],
    ['contains(response."dashed-name", \'&&\')', true],
    ['response.none == `null`', null],
    ['response.missing == `null`', null],
    ['`null` == response.missing', null],
    ['!(response.ok)', true],
    ['!(response.missing)', true],
    ["response.missing != 'failed'", null],
    ['length(response.errors || `[]`) == `0`', 0],
    ['response.empty == `[]`', []],
    ["response | code == '500'", true],
    ["response.items[?tag == 'x'].id | [0] == `1`", true],
  ])('%s', (expression, value) => {
    expect(checked(expression)).toMatchObject({ expectation: { expression, met: true, value }, why: '' });
  });
});

describe('an expectation that is not met', () => {
  test.each([
    ['response.statusCode == `200`', 500, ['Actual:   500', 'Expected: 200']],
    ['`200` == response.statusCode', 500, ['Actual:   500', 'Expected: 200']],
    ['response.statusCode != `500`', 500, ['Actual:   500', 'Expected: != 500']],
    ['duration_ms < `10`', 12.5, ['Actual:   12.5', 'Expected: < 10']],
    ['powertools_json(response.body).ok == `false`', true, ['Actual:   true', 'Expected: false']],
    ['response."dashed-name" == \'a || b\'', 'a && b', ['Actual:   "a && b"', 'Expected: "a || b"']],
    [
      "outcome == 'succeeded' && response.statusCode == `200` && response.ok == `true`",
      500,
      ['Not met:  response.statusCode == `200`', 'Actual:   500', 'Expected: 200'],
    ],
    ['response.ok == `true` || response.none == `1`', false, ['Actual:   false', 'Expected: true']],
    ['length(response.numbers) == `4`', 3, ['Actual:   3', 'Expected: 4']],
    ['response.ok', false, ['Actual:   false', 'Expected: true']],
    ['!(response.code)', false, ['Actual:   false', 'Expected: true']],
    [
      'response.numbers',
      [1, 2, 3],
      [
        'Actual:   [1,2,3]',
        'Expected: true',
        'An expectation must evaluate to true: compare the value with something.',
      ],
    ],
  ])('%s shows the actual value', (expression, value, told) => {
    expect(checked(expression).expectation).toEqual({ expression, met: false, value });
    expect(toldOf(expression)).toEqual(told);
  });

  const KEYS = 'statusCode, code, ok, none, empty, items, numbers, version, body, text, dashed-name, long';

  test.each([
    [
      'response.statuscode == `200`',
      `response.statuscode does not exist (did you mean statusCode?); keys of response: ${KEYS}.`,
    ],
    ['response.missing.deeper == `1`', `response.missing does not exist; keys of response: ${KEYS}.`],
    ['response.missing', `response.missing does not exist; keys of response: ${KEYS}.`],
    ['response.none == `1`', 'response.none is null.'],
    [
      'response.body.ok == `true`',
      'response.body is a string of JSON: use powertools_json(response.body).ok.',
    ],
    ['response.text.ok == `true`', 'response.text is a string, which has no fields.'],
    ['response.statusCode.ok == `true`', 'response.statusCode is 500, which has no fields.'],
    [
      'response.items.id == `1`',
      'response.items is a list: use response.items[0].id or response.items[*].id.',
    ],
    ['response.items[5].id == `1`', 'response.items[5] does not exist; response.items has 2 items.'],
    ['response.body[0] == `1`', 'response.body is not a list.'],
    [
      'powertools_json(response.text).ok == `true`',
      'powertools_json returns null for a text that it cannot decode.',
    ],
    [
      'powertools_json(response.body).oka == `true`',
      'powertools_json(response.body).oka does not exist (did you mean ok?); keys of powertools_json(response.body): ok, error.',
    ],
    ["response.statusCode == '500'", 'a number never equals a string: write `500` to expect this number.'],
    ['response.code == `500`', "a string never equals a number: write '500' to expect this string."],
    ["response.ok == 'false'", 'a boolean never equals a string: write `false` to expect this boolean.'],
    ['response.version > response.code', '<, <=, > and >= compare numbers only.'],
    ['init_duration_ms < `5`', 'init_duration_ms comes from the log: set log_type: Tail.'],
    ["function_error == 'Unhandled'", 'this outcome has no function_error.'],
    ['length(response.nothing) == `0`', `response.nothing does not exist; keys of response: ${KEYS}.`],
  ])('%s has a reason', (expression, why) => {
    expect(checked(expression).expectation.met).toBe(false);
    expect(toldOf(expression)).toContain(why);
  });

  test('shows at most 200 characters of a value', () => {
    expect(toldOf("response.long == 'y'")[0]).toBe(`Actual:   "${'x'.repeat(199)}…`);
  });

  test('shows at most 20 keys', () => {
    const response = Object.fromEntries(Array.from({ length: 30 }, (_, at) => [`k${at}`, at]));
    const { why } = check('response.missing == `1`', { ...OUTCOME, response }, SIGHT);
    expect(why).toContain('k18, k19, ….');
    expect(why).not.toContain('k20');
  });

  test('has its own lines, whatever a function returns', () => {
    const response = { 'a\nb': 'c\nd', text: 'c\nd' };
    const of = (expression: string) => check(expression, { ...OUTCOME, response }, SIGHT).why.split('\n');
    expect(of('response.text == `1`')).toEqual([
      'Actual:   "c\\nd"',
      'Expected: 1',
      "a string never equals a number: write 'c\\nd' to expect this string.",
    ]);
    expect(of('response.missing')[2]).toContain('keys of response: a\\nb, text.');
  });

  test('shows no secret, neither a value nor a key', () => {
    const hide = (value: unknown): unknown => JSON.parse(JSON.stringify(value).replaceAll('s3cret', '***'));
    const outcome = { ...OUTCOME, response: { token: 's3cret', s3cret: 1 } };
    const of = (expression: string): string => check(expression, outcome, { ...SIGHT, hide }).why;
    expect(of("response.token == 'x'")).toContain('Actual:   "***"');
    expect(of("response.tokens.a == 'x'")).toContain('keys of response: token, ***');
    expect(of('response.token == `1`')).not.toContain('s3cret');
  });

  test('cannot be evaluated, with the reason', () => {
    const { expectation, why } = checked('length(duration_ms) == `1`');
    expect(expectation).toEqual({ expression: 'length(duration_ms) == `1`', met: false });
    expect(why).toMatch(
      /^The expression cannot be evaluated: Invalid type: length\(\) expected argument 1 .*[^.]\.$/,
    );
  });

  test('cannot be evaluated because an argument does not exist, which is the only reason', () => {
    expect(checked('length(response.names) > `0`').why).toMatch(
      /^response\.names does not exist; keys of response: /,
    );
  });
});

describe('a comparison of two missing values', () => {
  const NOTHING = 'Neither side exists, so the comparison is not met. To expect null, compare with `null`.';

  test.each([
    'response.status == response.expected',
    'response.status != response.expected',
    'response.status <= response.expected',
    'response.none == response.missing',
    '!(response.status == response.expected)',
    '!(response.status != response.expected)',
    'response.code && response.status == response.expected',
    'response.ok || response.status == response.expected',
    'to_string(response.status) == to_string(response.expected)',
    '[response.status] == [response.expected]',
    'response.{a: status} == response.{a: expected}',
    'response.items[*].status == response.items[*].expected',
    "(response.status || 'x') == (response.expected || 'x')",
    'powertools_json(response.text) == powertools_json(response.code).a',
  ])('%s is not met', (expression) => {
    expect(checked(expression).expectation.met).toBe(false);
    expect(toldOf(expression)).toContain(NOTHING);
  });

  test.each([
    'response | status == expected',
    '[response.status == response.expected] | [0]',
    '[response.status == response.expected][0]',
    '[to_string(response.status) == to_string(response.expected)][0]',
    'contains([response.status == response.expected], `true`)',
    'length(response.items[?status == expected]) == `2`',
    'length(response.items[?status != expected]) == `0`',
    'contains(to_array(response.status), response.expected)',
    'starts_with(to_string(response.status), to_string(response.expected))',
  ])('%s is not met, wherever the comparison is', (expression) => {
    expect(checked(expression).expectation.met).toBe(false);
  });

  test('names the path that does not exist and the existing keys', () => {
    const response = { statusCode: 200, body: '' };
    expect(
      check('response.status == response.expected', { ...OUTCOME, response }, SIGHT).why.split('\n'),
    ).toEqual([
      'Actual:   null',
      'Expected: null',
      'response.status does not exist; keys of response: statusCode, body.',
      'response.expected does not exist; keys of response: statusCode, body.',
      NOTHING,
    ]);
  });

  // Words that are neither in the response below nor fields of an outcome.
  const word = fc.constantFrom('okay', 'ready', 'up', 'zeta', 'omega', 'Qux', 'v1');
  const missing = fc.oneof(
    word.map((name) => `response.${name}`),
    fc.tuple(word, word).map(([one, other]) => `response.${one}.${other}`),
    fc.tuple(word, fc.nat(3)).map(([name, at]) => `response.${name}[${at}]`),
    word.map((name) => `response.items[*].${name}`),
    word.map((name) => `response.items[0].${name}`),
    word.map((name) => `response.statusCode.${name}`),
    word.map((name) => `powertools_json(response.body).${name}`),
  );
  const wrapped = fc
    .tuple(
      missing,
      fc.constantFrom('%', '[%]', '{a: %}', 'to_string(%)', 'to_array(%)', 'type(%)', 'not_null(%)'),
    )
    .map(([path, form]) => form.replace('%', path));
  const operator = fc.constantFrom('==', '!=', '<', '<=', '>', '>=');
  const comparison = fc
    .tuple(wrapped, operator, fc.oneof({ weight: 3, arbitrary: wrapped }, { weight: 1, arbitrary: word }))
    .map((parts) => parts.join(' '));
  const { expression } = fc.letrec<{ expression: string }>((tie) => ({
    expression: fc.oneof(
      { depthSize: 'small', withCrossShrink: true },
      comparison,
      tie('expression').map((inner) => `!(${inner})`),
      tie('expression').map((inner) => `[${inner}] | [0]`),
      tie('expression').map((inner) => `contains([${inner}], \`true\`)`),
      fc
        .tuple(tie('expression'), fc.constantFrom('&&', '||', '=='), tie('expression'))
        .map(([one, between, other]) => `(${one}) ${between} (${other})`),
    ),
  }));

  heavyTest('never makes a step succeed, in any expression', async () => {
    let evaluated = 0;
    await fc.assert(
      fc.asyncProperty(expression, async (text) => {
        // A rejected expression sends nothing, so the step fails too.
        if ((await problemsFor({ expect: text })).length > 0) return;
        evaluated += 1;
        expect(checked(text).expectation.met).toBe(false);
      }),
      { seed: SEED, numRuns: 500 },
    );
    expect(evaluated).toBeGreaterThan(100);
  });
});

describe('a query that finds nothing', () => {
  test.each([
    ['response.text.id', 'response.text is a string, which has no fields.'],
    ['response.none', 'response.none is null.'],
    ['response.items[9]', 'response.items[9] does not exist; response.items has 2 items.'],
    ['response.missing && response.code', 'response.missing && response.code is null.'],
  ])('%s has a reason', (query, why) => {
    expect(whyNoValue(query, OUTCOME, SIGHT)).toBe(why);
  });
});
