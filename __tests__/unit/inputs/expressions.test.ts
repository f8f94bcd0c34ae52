import { describe, expect, test } from '@jest/globals';
import { heavyTest } from '../../heavy.ts';
import { planFor, problemsFor } from './factory.ts';

/** The error message for one expression in `expect`, without the quoted text and the caret. */
async function toldOf(expression: string, input: 'expect' | 'query' | 'mask' = 'expect'): Promise<string[]> {
  const problems = await problemsFor({ [input]: expression });
  return problems.map((problem) => problem.split('\n')[0] ?? '');
}

const ODD_SPACE =
  'this is not a plain space but another character, such as a non-breaking space. Type the space again';

describe('expressions', () => {
  test('are read one per line, without whitespace and empty lines', async () => {
    const { expressions } = await planFor({
      expect: '  response.a == `1`\n\n  response.b == `2`  \n',
      query: 'response.{\n  a: a,\n  b: b\n}',
      mask: 'response.token',
    });
    expect(expressions).toMatchObject({
      expect: ['response.a == `1`', 'response.b == `2`'],
      query: 'response.{ a: a, b: b }',
      mask: ['response.token'],
    });
    expect(expressions.search?.('response.a', { response: { a: 7 } })).toBe(7);
  });

  test('that are not set load nothing', async () => {
    expect((await planFor({})).expressions).toEqual({ expect: [], mask: [] });
  });

  test.each([
    ['response.a == 200', 14, 'write a number in backticks: `200`'],
    ['response.b[', 11, 'the expression ends too early; each line is one expression'],
    ['response = `1`', 9, 'a comparison is written =='],
    ['response b', 9, '"b" is not expected here'],
    ['response.b]', 10, '"]" is not expected here'],
    ['response || lenght(response) > `1`', 12, 'there is no function lenght (did you mean length?)'],
    [
      "response == 'lenght(b)' && powertols_json(response)",
      27,
      'there is no function powertols_json (did you mean powertools_json?)',
    ],
    ['response.ok is true', 12, '"is" is not expected here'],
    ['response.ok\u00a0== `true`', 11, ODD_SPACE],
    ['response.\u200bok == `true`', 9, ODD_SPACE],
    ['- response.ok == `true`', 0, 'drop the "-"; each line is one expression'],
    ['(response.ok == `true`', 22, '")" is missing; each line is one expression'],
    ['response.b[?a == `1`', 20, '"]" is missing; each line is one expression'],
    ['(response.ok ==', 15, 'the expression ends too early; each line is one expression'],
    ['fromJSON(response.body)', 0, 'there is no function fromJSON (did you mean powertools_json?)'],
    ['len(response.items)', 0, 'there is no function len (did you mean length?)'],
    ['frobnicate_it(response)', 0, 'there is no function frobnicate_it'],
    // Extensions of the library that are not standard JMESPath.
    ['upper(response.a)', 0, 'there is no function upper'],
    ["response.a == 'ok", 14, 'the quote is not closed'],
    ['response."a', 9, 'the quote is not closed'],
    ['response.a * `2`', 11, 'JMESPath has no arithmetic; * stands for all values'],
    ['response.a + `2`', 11, 'JMESPath has no arithmetic'],
    ['response.a ? `1` : `2`', 11, '"?" is not expected here'],
    ['let $a = response in $a', 4, 'JMESPath starts at the outcome itself; drop "$."'],
    [`${'('.repeat(20_000)}a${')'.repeat(20_000)}`, 0, 'the expression is nested too deeply'],
  ])('%s is rejected with a caret under the position', async (expression, column, what) => {
    expect(await problemsFor({ expect: `response.ok == \`true\`\n${expression}` })).toEqual([
      `expect: ${what}.\n    ${expression}\n    ${' '.repeat(column)}^`,
    ]);
  });

  // A runner passes an input as an environment variable, which Linux limits to 128 KiB.
  heavyTest.each(['a', '_', 'length', '1a', 'length(', "'a' ", "\\'", "'\\'", '-', '`a'])(
    'of 120 KB of "%s" are read in linear time',
    async (part) => {
      const before = performance.now();
      await problemsFor({ query: part.repeat(120_000 / part.length) });
      expect(performance.now() - before).toBeLessThan(3_000);
    },
  );

  test('that are invalid are all reported, each with its input', async () => {
    const problems = await problemsFor({ expect: 'a =\nb c', query: 'd e', mask: 'f g' });
    expect(problems.map((problem) => problem.slice(0, problem.indexOf(':')))).toEqual([
      'expect',
      'expect',
      'query',
      'mask',
    ]);
  });

  test.each([
    'length(response) > `1`',
    'sum(response.items) == `6`',
    'status_code > `1`',
    "starts_with(outcome, 'su')",
    'response.items[?ok == other].name | [0] == `1`',
    'response.*.anything',
    'response.{a: anything, b: [other]}.c',
    'sort_by(response.items, &anything)[0].id == `1`',
    'response | anything == other',
    '@.response.a == `1`',
    '@ | response.a == `1`',
    '!(response.error)',
    "response.version[0:2] == '1.'",
    'response.a == `null`',
    "response.constructor == 'a'",
  ])('%s is valid', async (expression) => {
    expect(await problemsFor({ expect: expression })).toEqual([]);
  });
});

/** The name that other actions use for the response. */
const FOREIGN_NAME = [
  'result.ok == `true`',
  'expect: there is no field "result"; did you mean response?',
] as const;

const CONSTANT =
  'expect: this reads nothing of the outcome, so its value is always the same; use a field, for example response.ok.';
const QUOTED_PATH =
  'expect: a text in single quotes is a string, and reads nothing of the outcome; a field has no quotes, for example response.ok.';

describe('a mistake is explained before anything is sent:', () => {
  test.each([
    ['statusCode == `200`', 'expect: there is no field "statusCode"; did you mean response.statusCode?'],
    [
      'status == `200`',
      'expect: there is no field "status"; did you mean response.statusCode? The status of the request to Lambda is status_code.',
    ],
    ['body.ok', 'expect: there is no field "body"; did you mean response.body?'],
    FOREIGN_NAME,
    ['respnse.ok == `true`', 'expect: there is no field "respnse"; did you mean response?'],
    ['duration < `5`', 'expect: there is no field "duration"; did you mean duration_ms?'],
    [
      '@.user == `1`',
      'expect: there is no field "user"; did you mean response.user, or the string \'user\'?',
    ],
    [
      'contains(response.roles, admin)',
      'expect: there is no field "admin"; did you mean response.admin, or the string \'admin\'?',
    ],
    ['response.ok == true', 'expect: "true" is read as a field name; write it in backticks: `true`.'],
    ['response.ok == False', 'expect: "False" is read as a field name; write it in backticks: `false`.'],
    ['response.error == null', 'expect: "null" is read as a field name; write it in backticks: `null`.'],
    [
      'response.status == ok',
      'expect: "ok" is read as a field name; write a string in single quotes: \'ok\'.',
    ],
    [
      'response.status == "ok"',
      'expect: "ok" is read as a field name; write a string in single quotes: \'ok\'.',
    ],
    ['response.version == 1.4.2', "expect: write a string in single quotes: '1.4.2'."],
    [
      'response.sha == deadbee',
      'expect: "deadbee" is read as a field name; write a string in single quotes: \'deadbee\'.',
    ],
    ['response.sha == 4f2deadbee', "expect: write a string in single quotes: '4f2deadbee'."],
    ['response.day == 2026-01-02', "expect: write a string in single quotes: '2026-01-02'."],
    [
      'response.statusCode == "200"',
      'expect: "200" is read as a field name; write `200` for the number, or \'200\' for the string.',
    ],
    ['response.error-count == `0`', 'expect: write a key that has a dash in double quotes: "error-count".'],
    ['response.sha-256 == `0`', 'expect: write a key that has a dash in double quotes: "sha-256".'],
    ['response.a and response.b', 'expect: write && instead of "and".'],
    ['response.a or response.b', 'expect: write || instead of "or".'],
    ['not response.a', 'expect: write !(…) instead of "not".'],
    ['$.response.ok', 'expect: JMESPath starts at the outcome itself; drop "$.".'],
    [
      '${{ github.sha }} == response.sha',
      'expect: the expression in ${{ }} was not evaluated. It is evaluated in "with:", but not in the default of a workflow_dispatch input, in the value of a variable or in a file.',
    ],
    ["response['statusCode'] == `200`", "expect: write .statusCode instead of ['statusCode']."],
    ['response["error-count"] == `0`', 'expect: write ."error-count" instead of ["error-count"].'],
    ['.response.ok', 'expect: drop the leading ".".'],
    ['response.ok; response.b', 'expect: write one expression per line, without ";".'],
    ['response.ok # works', 'expect: comments are not supported in expressions.'],
    [
      'response.body =~ /ok/',
      'expect: JMESPath has no regular expressions; use contains(), starts_with() or ends_with().',
    ],
    [
      'response.type == `application/json`',
      "expect: backticks hold JSON; write a string in single quotes: 'application/json'.",
    ],
    ['response.statusCode == `200', 'expect: the backtick is not closed.'],
    [
      'response.id == `12345678901234567890`',
      "expect: an integer with so many digits is a string in the outcome; write '12345678901234567890'.",
    ],
    [
      'response.ids == `[1, 12345678901234567890]`',
      'expect: an integer with so many digits is a string in the outcome; write it in double quotes.',
    ],
    ['`true`', CONSTANT],
    ['`1` == `1`', CONSTANT],
    ["contains(['a', 'b'], 'a')", CONSTANT],
    ['`{"ok": true}` | ok', CONSTANT],
    ["'response.ok'", QUOTED_PATH],
    ["response.version > '1.0.0'", 'expect: <, <=, > and >= compare numbers only.'],
    ['!response.error', 'expect: ! binds first: write !(response.error).'],
    ['!response.errors[0].code', 'expect: ! binds first: write !(response.errors[0].code).'],
    ['duration_ms < `100`', 'expect: duration_ms comes from the log: set log_type: Tail.'],
    ['response.a ==', 'expect: the expression ends too early; each line is one expression.'],
    ['&& response.b', 'expect: each line is one expression.'],
    ['response.a == \u2018x\u2019', "expect: replace typographic quotes with '."],
  ])('%s', async (expression, told) => {
    expect(await toldOf(expression)).toEqual([told]);
  });

  test('unknown names are also reported in query and mask', async () => {
    expect(await toldOf('statusCode', 'query')).toEqual([
      'query: there is no field "statusCode"; did you mean response.statusCode?',
    ]);
    expect(await toldOf('token', 'mask')).toEqual([
      'mask: there is no field "token"; did you mean response.token, or the string \'token\'?',
    ]);
  });

  test('an expression that reads nothing is also reported in query and mask', async () => {
    for (const input of ['query', 'mask'] as const) {
      expect(await toldOf("'response.token'", input)).toEqual([QUOTED_PATH.replace('expect', input)]);
    }
  });

  test.each([
    '@',
    '*',
    '[0]',
    'values(@)',
    '`1` == response',
    "type(response.a) == 'null'",
    'not_null(response)',
  ])('%s reads the outcome', async (expression) => {
    expect(await problemsFor({ expect: expression })).toEqual([]);
  });

  test('the message shows the line with a caret under the word', async () => {
    expect(await problemsFor({ expect: 'response.ok == true' })).toEqual([
      'expect: "true" is read as a field name; write it in backticks: `true`.\n    response.ok == true\n                   ^',
    ]);
  });
});

describe('a field that the outcome cannot have', () => {
  const ok = 'response.ok == `true`';

  test.each([
    [
      { invocation_type: 'Event', expect: ok },
      'expect: invocation_type: Event has no response. Use RequestResponse, or set wait_for_durable_execution: true for a durable function.',
    ],
    [
      { invocation_type: 'DryRun', payload: '', expect: ok },
      'expect: invocation_type: DryRun has no response. Use RequestResponse.',
    ],
    [
      { invocation_type: 'Event', query: 'response.id' },
      'query: invocation_type: Event has no response. Use RequestResponse, or set wait_for_durable_execution: true for a durable function.',
    ],
    [
      { invocation_type: 'DryRun', payload: '', mask: 'response.token' },
      'mask: invocation_type: DryRun has no response. Use RequestResponse.',
    ],
    [
      { invocation_type: 'Event', expect: 'duration_ms < `5`' },
      'expect: invocation_type: Event has no log. Use RequestResponse, or set wait_for_event: true.',
    ],
    [
      { invocation_type: 'Event', wait_for_event: 'true', expect: "contains(log_result, 'x')" },
      'expect: invocation_type: Event has no log. Use RequestResponse.',
    ],
    [
      {
        function_name: '',
        invocations: '- function_name: a\n- function_name: b\n  invocation_type: Event',
        expect: ok,
      },
      'expect: invocation_type: Event has no response. Use RequestResponse, or set wait_for_durable_execution: true for a durable function.',
    ],
  ])('%j is rejected', async (given, told) => {
    expect((await problemsFor(given)).map((problem) => problem.split('\n')[0])).toEqual([told]);
  });

  test.each([
    { invocation_type: 'Event', wait_for_durable_execution: 'true', expect: ok },
    { invocation_type: 'Event', expect: 'status_code == `202`' },
    { invocation_type: 'DryRun', payload: '', expect: 'status_code == `204`' },
    { log_type: 'Tail', expect: 'duration_ms < `5`' },
    { repeat: '2', expect: 'cold_start == `true`' },
    { query: 'duration_ms' },
    {
      function_name: '',
      invocations: '- function_name: a\n- function_name: b\n  invocation_type: Event',
      mask: 'response.token',
    },
    { invocation_type: 'Event', wait_for_event: 'true', expect: 'duration_ms < `5`' },
  ])('%j is accepted', async (given) => {
    expect(await problemsFor(given)).toEqual([]);
  });
});
