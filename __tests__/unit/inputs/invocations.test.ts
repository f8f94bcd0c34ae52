import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { stringify } from 'yaml';
import { type ListedEntry, parseInvocations } from '../../../src/inputs/invocations.ts';
import { Problems } from '../../../src/inputs/problems.ts';
import { ENTRY_INPUTS } from '../../../src/inputs/schema.ts';
import { anyCharacter } from '../../any-text.ts';
import { heavyTest } from '../../heavy.ts';
import { SEED } from '../../seed.ts';

async function read(text: string): Promise<{ entries: readonly ListedEntry[]; problems: readonly string[] }> {
  const problems = new Problems();
  const entries = await parseInvocations(text, problems);
  return { entries, problems: problems.error?.problems ?? [] };
}

/** The values of the first entry of a valid text. */
async function valuesOf(text: string): Promise<ListedEntry['values'] | undefined> {
  const { entries, problems } = await read(text);
  expect(problems).toEqual([]);
  return entries[0]?.values;
}

const problemsOf = async (text: string): Promise<readonly string[]> => (await read(text)).problems;

const TAKES =
  'An entry can have name, function_name, payload, payload_file, qualifier, invocation_type, log_type, client_context, tenant_id, durable_execution_name, region, http_request, http_event, test_event, timeout_seconds and expect.';
const INDENTED_ALIKE =
  'the YAML is not valid: indent all keys of an entry alike, write a space after each ":", and put a text that contains ": " in quotes.';
const ODD_SPACE =
  'this is not a plain space but another character, such as a non-breaking space. Type the space again.';
const REFERENCE = 'anchors (&) and aliases (*) are not supported. Write the value out.';
const MERGE = 'merge keys (<<) are not supported. Write the keys and values out.';
const TAG = 'this tag (!) is not supported or does not fit its value. Remove it.';
const NOT_FINITE = 'JSON has no infinity and no "not a number". Write a number or null.';
const TABS = 'indent with spaces, not with tabs.';
const PATH = 'this looks like a path: use invocations_file.';
const TOO_DEEP = 'values are nested more than 500 levels deep. Give such an event as payload_file.';
const notAMapping = (kind: string): string =>
  `an entry must be a function's name or a mapping, such as "function_name: my-function"; this is ${kind}. Write {} for an entry that inherits all of the step's inputs.`;

describe('a list of entries', () => {
  test('has the same inputs as a step, with entry number and line', async () => {
    const text = `# Warm both regions.
- function_name: first:PROD
  payload: {"a": 1}
  qualifier: 7
  invocation_type: Event
  log_type: Tail
  client_context: {custom: {b: 2}}
  tenant_id: blue
  region: eu-west-1

- {}
-
  function_name: third
  payload_file: events/third.json
  name: The third
  timeout_seconds: 30
  expect: |
    response.ok == \`true\`
- fourth:PROD
- "5"
`;
    expect(await read(text)).toEqual({
      entries: [
        {
          values: {
            function_name: 'first:PROD',
            payload: '{"a":1}',
            qualifier: '7',
            invocation_type: 'Event',
            log_type: 'Tail',
            client_context: '{"custom":{"b":2}}',
            tenant_id: 'blue',
            region: 'eu-west-1',
          },
          number: 1,
          line: 2,
        },
        { values: {}, number: 2, line: 11 },
        {
          values: {
            function_name: 'third',
            payload_file: 'events/third.json',
            name: 'The third',
            timeout_seconds: '30',
            expect: 'response.ok == `true`',
          },
          number: 3,
          line: 13,
        },
        { values: { function_name: 'fourth:PROD' }, number: 4, line: 19 },
        { values: { function_name: '5' }, number: 5, line: 20 },
      ],
      problems: [],
    });
  });

  test.each([
    ['in one line', '[{"function_name":"f","payload":{"a":[1,null]}},{"qualifier":"7"}]', [1, 1]],
    [
      'indented by spaces',
      '[\n  {\n    "function_name": "f",\n    "payload": {\n      "a": [1, null]\n    }\n  },\n  {\n    "qualifier": "7"\n  }\n]',
      [2, 8],
    ],
    [
      'indented by tabs',
      '[\n\t{\n\t\t"function_name": "f",\n\t\t"payload": {\n\t\t\t"a": [1, null]\n\t\t}\n\t},\n\t{\n\t\t"qualifier": "7"\n\t}\n]',
      [2, 8],
    ],
  ])('can be JSON, %s', async (_how, text, [first, second]) => {
    expect(await read(text)).toEqual({
      entries: [
        { values: { function_name: 'f', payload: '{"a":[1,null]}' }, number: 1, line: first },
        { values: { qualifier: '7' }, number: 2, line: second },
      ],
      problems: [],
    });
  });

  test.each([
    ['a byte order mark', '\uFEFF- qualifier: a\n  region: b'],
    ['Windows line ends', '- qualifier: a\r\n  region: b\r\n'],
    ['a line of three dashes', '---\n- qualifier: a\n  region: b\n...\n'],
    ['the directive of YAML 1.2', '%YAML 1.2\n---\n- qualifier: a\n  region: b\n'],
    ['tags of its own', '!!seq\n- !!map\n  !!str qualifier: !!str a\n  region: ! b\n'],
    ['indentation', '  - qualifier: a\n    region: b\n'],
  ])('can have %s', async (_what, text) => {
    expect(await valuesOf(text)).toEqual({ qualifier: 'a', region: 'b' });
  });
});

describe('an input of an entry', () => {
  test.each([
    ['7', '7'],
    ['012', '012'],
    ['1.10', '1.10'],
    ['0x1F', '0x1F'],
    ['1e3', '1e3'],
    ['true', 'true'],
    ['No', 'No'],
    ['.inf', '.inf'],
    ['2024-01-01', '2024-01-01'],
    ['12345678901234567890', '12345678901234567890'],
    ['$LATEST', '$LATEST'],
    ['a # comment', 'a'],
    ['a#b', 'a#b'],
    ['"7"', '7'],
    ["'it''s'", "it's"],
    ['"\\u00e9\\n"', 'é'],
    ['!!str 7', '7'],
    ['!!int 7', '7'],
    ['"null"', 'null'],
    ['|\n    PROD\n', 'PROD'],
    ['>-\n    two\n    words\n', 'two words'],
    ['two\n    words', 'two words'],
  ])('%j is its text', async (written, text) => {
    expect(await valuesOf(`- tenant_id: ${written}`)).toEqual({ tenant_id: text });
  });

  test.each(["''", '""', '"  "', '|\n\n', '!!str'])('%j counts as not given', async (written) => {
    for (const input of ENTRY_INPUTS) {
      expect(await valuesOf(`- ${input}: ${written}\n`)).toEqual({});
    }
  });

  test.each([
    ["payload: ''\n  payload_file: a.json", { payload_file: 'a.json' }],
    ["payload: 1\n  payload_file: ''", { payload: '1' }],
  ])('%j is not a conflict', async (written, values) => {
    expect(await valuesOf(`- ${written}`)).toEqual(values);
  });
});

describe('a payload as a YAML string is JSON text', () => {
  test.each([
    [`'{"a":1}'`, '{"a":1}'],
    [`"{\\"a\\":1}"`, '{"a":1}'],
    [`|\n    {\n      "a": 1\n    }\n`, '{\n  "a": 1\n}'],
    [`>-\n    {"a":\n    1}\n`, '{"a": 1}'],
    [`'"text"'`, '"text"'],
    ['not JSON', 'not JSON'],
    ['yes', 'yes'],
    ['2024-01-01', '2024-01-01'],
    ['!!str 5', '5'],
    ['"null"', 'null'],
  ])('%j', async (written, text) => {
    expect(await valuesOf(`- payload: ${written}`)).toEqual({ payload: text });
    expect(await valuesOf(`- client_context: ${written}`)).toEqual({ client_context: text });
  });
});

describe('a payload as YAML becomes JSON', () => {
  test.each([
    // Integers.
    ['0', '0'],
    ['7', '7'],
    ['-7', '-7'],
    ['-0', '-0'],
    ['+5', '5'],
    ['+0', '0'],
    ['12345678901234567890', '12345678901234567890'],
    ['-12345678901234567890', '-12345678901234567890'],
    ['0x1F', '31'],
    ['0xff', '255'],
    ['0xFFFFFFFFFFFFFFFF', '18446744073709551615'],
    ['0o17', '15'],
    // Leading zeros.
    ['012', '"012"'],
    ['-007', '"-007"'],
    ['+012', '"+012"'],
    ['00', '"00"'],
    ['09', '"09"'],
    ['012345678901', '"012345678901"'],
    ['!!int 012', '12'],
    // Decimals.
    ['1.10', '1.10'],
    ['-1.10', '-1.10'],
    ['0.1000000000000000055', '0.1000000000000000055'],
    ['1e400', '1e400'],
    ['1E+3', '1E+3'],
    ['-1.5e-7', '-1.5e-7'],
    ['.5', '0.5'],
    ['-.5', '-0.5'],
    ['+.5e1', '0.5e1'],
    ['5.', '5'],
    ['-5.', '-5'],
    ['5.e3', '5e3'],
    ['+1.5', '1.5'],
    ['007.5', '7.5'],
    ['!!float 5', '5'],
    ['!!float "1.50"', '1.50'],
    // Booleans and null.
    ['true', 'true'],
    ['True', 'true'],
    ['FALSE', 'false'],
    ['!!bool "true"', 'true'],
    ['null', 'null'],
    ['Null', 'null'],
    ['NULL', 'null'],
    ['~', 'null'],
    ["!!null ''", 'null'],
  ])('%j is %j, alone and nested', async (written, json) => {
    expect(await valuesOf(`- payload: ${written}`)).toEqual({ payload: json });
    expect(await valuesOf(`- client_context: ${written}`)).toEqual({ client_context: json });
    expect(await valuesOf(`- payload:\n    a: ${written}\n    b: 1`)).toEqual({
      payload: `{"a":${json},"b":1}`,
    });
    expect(await valuesOf(`- payload:\n  - ${written}\n  - 1`)).toEqual({ payload: `[${json},1]` });
  });

  test('has null for a nested key or item without a value', async () => {
    expect(await valuesOf('- payload:\n    a:\n    b: [1, {c}]\n    d:\n    -')).toEqual({
      payload: '{"a":null,"b":[1,{"c":null}],"d":[null]}',
    });
  });

  test.each([
    ['on', '"on"'],
    ['yes', '"yes"'],
    ['Off', '"Off"'],
    ['n', '"n"'],
    ['tRUE', '"tRUE"'],
    ['nULL', '"nULL"'],
    ['2024-01-01', '"2024-01-01"'],
    ['2024-01-01T10:00:00Z', '"2024-01-01T10:00:00Z"'],
    ['12:30:45', '"12:30:45"'],
    ['1_000', '"1_000"'],
    ['0b11', '"0b11"'],
    ['-0x1F', '"-0x1F"'],
    ['0o8', '"0o8"'],
    ['1.2.3', '"1.2.3"'],
    ['.', '"."'],
    ['e5', '"e5"'],
    ['-a', '"-a"'],
    ['.Inf.', '".Inf."'],
    ['=', '"="'],
    ['"5"', '"5"'],
    ["'true'", '"true"'],
    ["''", '""'],
    ['!!str', '""'],
    ['!!str 5', '"5"'],
    ['! 5', '"5"'],
    ['text', '"text"'],
    ['a "quoted" \\ word', '"a \\"quoted\\" \\\\ word"'],
    ['"\\t\\u00e9\\x41\\U0001F600\\ud83d\\ude00\\/\\0"', '"\\té' + 'A😀😀/\\u0000"'],
    ['"lone \\ud83d"', '"lone \\ud83d"'],
    ['Zürich 東京 😀', '"Zürich 東京 😀"'],
    ['|\n      one\n       two\n', '"one\\n two\\n"'],
    ['|-\n      one\n\n      two\n', '"one\\n\\ntwo"'],
    ['|+\n      one\n', '"one\\n\\n"'],
    ['>\n      one\n      two\n\n      three\n', '"one two\\nthree\\n"'],
    ['|\n      5\n', '"5\\n"'],
    ['one\n      two', '"one two"'],
    ['"one\n      two\n\n      three \\\n      four"', '"one two\\nthree four"'],
  ])('%j stays a string', async (written, json) => {
    expect(await valuesOf(`- payload:\n    a: ${written}\n`)).toEqual({ payload: `{"a":${json}}` });
  });

  test.each([
    ['{}', '{}'],
    ['[]', '[]'],
    ['[[], {}, [[1]]]', '[[],{},[[1]]]'],
    ['{a, b: }', '{"a":null,"b":null}'],
    ['[a: 1, b]', '[{"a":1},"b"]'],
    ['!!map {a: !!seq [1]}', '{"a":[1]}'],
    ['\n    - a: 1\n      b: 2\n    - - c\n      - d', '[{"a":1,"b":2},["c","d"]]'],
    ['{z: 1, a: 2, 10: 3, 9: 4}', '{"z":1,"a":2,"10":3,"9":4}'],
  ])('%j is the collection %j', async (written, json) => {
    expect(await valuesOf(`- payload: ${written}`)).toEqual({ payload: json });
    expect(await valuesOf(`- client_context: ${written}`)).toEqual({ client_context: json });
  });

  test.each([
    ['1', '1'],
    ['012', '012'],
    ['12', '12'],
    ['1.10', '1.10'],
    ['0x1F', '0x1F'],
    ['true', 'true'],
    ['null', 'null'],
    ['~', '~'],
    ['.inf', '.inf'],
    ['on', 'on'],
    ['2024-01-01', '2024-01-01'],
    ['__proto__', '__proto__'],
    ['constructor', 'constructor'],
    ['"<<"', '<<'],
    ["'a b'", 'a b'],
    ['"\\u00e9"', 'é'],
    ['""', ''],
    ['!!str 1', '1'],
    ['? |-\n      a\n     ', 'a'],
  ])('the key %j is %j', async (written, key) => {
    expect(await valuesOf(`- payload:\n    first: 1\n    ${written}: x\n    last: 2`)).toEqual({
      payload: `{"first":1,${JSON.stringify(key)}:"x","last":2}`,
    });
  });

  test('a mapping in which 012, 12 and "__proto__" are different keys', async () => {
    expect(await valuesOf('- payload: {012: a, 12: b, __proto__: {c: 1}}')).toEqual({
      payload: '{"012":"a","12":"b","__proto__":{"c":1}}',
    });
  });
});

describe('a list with mistakes', () => {
  test.each<[text: string, problems: string[]]>([
    // The list itself.
    [
      '',
      [' (line 1, column 1): it must be a list of entries; this is nothing. Start every entry with "- ".'],
    ],
    [
      '# none\n',
      [' (line 1, column 1): it must be a list of entries; this is nothing. Start every entry with "- ".'],
    ],
    [
      'function_name: f\n',
      [' (line 1, column 1): it must be a list of entries; this is a mapping. Start every entry with "- ".'],
    ],
    [
      '\n\n  f\n',
      [' (line 3, column 3): it must be a list of entries; this is a text. Start every entry with "- ".'],
    ],
    ['list.yml', [` (line 1, column 1): ${PATH}`]],
    ['./lists/warm up.json', [` (line 1, column 1): ${PATH}`]],
    ['file://list.yaml', [` (line 1, column 1): ${PATH}`]],
    [
      '${{ fromJSON(vars.LIST) }}',
      [
        ' (line 1, column 1): the expression was not evaluated: ${{ }} has no effect in the value of a variable or in the default of a workflow input.',
      ],
    ],
    ['[]', [' (line 1, column 1): the list is empty. Give at least one entry.']],
    [
      '- payload: 1\n---\n- payload: 2\n',
      [' (line 2, column 1): a second document begins here. Give one list, without "---" in it.'],
    ],
    [
      '%YAML 1.1\n---\n- payload: 1\n',
      [' (line 1, column 1): directives (%) are not supported. Remove the line.'],
    ],
    [
      '%TAG !! tag:example.com,2000:\n---\n- payload: 1\n',
      [' (line 1, column 1): directives (%) are not supported. Remove the line.'],
    ],
    ['!!omap\n- payload: 1', [` (line 2, column 1): ${TAG}`]],
    // Entries that are not mappings.
    ['- {}\n- 5\n', [`, entry 2 (line 2, column 3): ${notAMapping('a number')}`]],
    ['- true\n', [`, entry 1 (line 1, column 3): ${notAMapping('a boolean')}`]],
    ['- ~\n', [`, entry 1 (line 1, column 3): ${notAMapping('nothing')}`]],
    ['- {}\n-\n', [`, entry 2 (line 2, column 2): ${notAMapping('nothing')}`]],
    ['- - payload: 1\n', [`, entry 1 (line 1, column 3): ${notAMapping('a list')}`]],
    [
      '[{}, [], {}, 1]',
      [
        `, entry 2 (line 1, column 6): ${notAMapping('a list')}`,
        `, entry 4 (line 1, column 14): ${notAMapping('a number')}`,
      ],
    ],
    [
      '[{},[]\n,1]',
      [
        `, entry 2 (line 1, column 5): ${notAMapping('a list')}`,
        `, entry 3 (line 2, column 2): ${notAMapping('a number')}`,
      ],
    ],
    // Keys.
    [
      '- pyload: 1\n',
      [`, entry 1 (line 1, column 3): there is no key "pyload" (did you mean "payload"?). ${TAKES}`],
    ],
    [
      '- PAYLOAD: 1\n',
      [`, entry 1 (line 1, column 3): there is no key "PAYLOAD" (did you mean "payload"?). ${TAKES}`],
    ],
    [
      '- {functionName: f}',
      [
        `, entry 1 (line 1, column 4): there is no key "functionName" (did you mean "function_name"?). ${TAKES}`,
      ],
    ],
    [
      '- retry: never\n',
      [
        ', entry 1 (line 1, column 3): retry is set for the whole step. Move it out of the entry, into "with:".',
      ],
    ],
    [
      '- function_name: f\n  repeat: 3\n  shard: 0/2\n',
      [
        ', entry 1 (line 2, column 3): repeat is set for the whole step. Move it out of the entry, into "with:".',
        ', entry 1 (line 3, column 3): shard is set for the whole step. Move it out of the entry, into "with:".',
      ],
    ],
    ['- qual: 5\n', [`, entry 1 (line 1, column 3): there is no key "qual". ${TAKES}`]],
    ['- __proto__: {payload: 1}\n', [`, entry 1 (line 1, column 3): there is no key "__proto__". ${TAKES}`]],
    ['- "a\\nb": 1\n', [`, entry 1 (line 1, column 3): there is no key "a\\nb". ${TAKES}`]],
    ['- 1: 1\n', [`, entry 1 (line 1, column 3): there is no key "1". ${TAKES}`]],
    ['- ? [payload]\n  : 1\n', [', entry 1 (line 1, column 5): a key must be a text; this is a list.']],
    ['- payload: {{a: 1}: 2}\n', [', entry 1 (line 1, column 13): a key must be a text; this is a mapping.']],
    [
      '- payload: 1\n  region: a\n  payload: 2\n',
      [', entry 1 (line 3, column 3): the key "payload" is already on line 1. Remove one of them.'],
    ],
    [
      '- payload:\n    1: a\n    "1": b\n',
      [', entry 1 (line 3, column 5): the key "1" is already on line 2. Remove one of them.'],
    ],
    [
      '- payload: 1\n  payload_file: a.json\n',
      [', entry 1 (line 2, column 3): payload and payload_file are both given. Keep one of them.'],
    ],
    [
      '- payload_file: a.json\n  payload: null\n',
      [', entry 1 (line 2, column 3): payload and payload_file are both given. Keep one of them.'],
    ],
    // Values.
    [
      '- qualifier:\n',
      [', entry 1 (line 1, column 3): qualifier has no value. Give it one, or remove the key.'],
    ],
    [
      '- payload:\n  region: a\n- {function_name: f, client_context}\n',
      [
        ', entry 1 (line 1, column 3): payload has no value. Give it one, which can be null, or remove the key.',
        ', entry 2 (line 3, column 22): client_context has no value. Give it one, which can be null, or remove the key.',
      ],
    ],
    ['- region: ~\n', [', entry 1 (line 1, column 3): region has no value. Give it one, or remove the key.']],
    ['- {region}', [', entry 1 (line 1, column 4): region has no value. Give it one, or remove the key.']],
    [
      '- region: null',
      [', entry 1 (line 1, column 3): region has no value. Give it one, or remove the key.'],
    ],
    ['- qualifier: [7]\n', [', entry 1 (line 1, column 14): qualifier must be a text; this is a list.']],
    [
      '- tenant_id:\n    a: 1\n',
      [', entry 1 (line 2, column 5): tenant_id must be a text; this is a mapping.'],
    ],
    ['- payload: .inf\n', [`, entry 1 (line 1, column 12): ${NOT_FINITE}`]],
    [
      '- payload: [-.Inf, +.INF, .nan, .NaN]\n',
      [
        `, entry 1 (line 1, column 13): ${NOT_FINITE}`,
        `, entry 1 (line 1, column 20): ${NOT_FINITE}`,
        `, entry 1 (line 1, column 27): ${NOT_FINITE}`,
        `, entry 1 (line 1, column 33): ${NOT_FINITE}`,
      ],
    ],
    // Tags.
    ['- payload: !!binary c2Vj\n', [`, entry 1 (line 1, column 21): ${TAG}`]],
    ['- payload: !!set {a, b}\n', [`, entry 1 (line 1, column 18): ${TAG}`]],
    ['- payload: !!set {a: 1}\n', [`, entry 1 (line 1, column 18): ${TAG}`]],
    ['- payload: [!!timestamp 2024-01-01]\n', [`, entry 1 (line 1, column 25): ${TAG}`]],
    ['- payload: !Sub x\n', [`, entry 1 (line 1, column 17): ${TAG}`]],
    ['- payload: !e!Sub x\n', [`, entry 1 (line 1, column 12): ${TAG}`]],
    ['- payload: !!int x\n', [`, entry 1 (line 1, column 18): ${TAG}`]],
    ['- payload: !!str [1]\n', [`, entry 1 (line 1, column 18): ${TAG}`]],
    ['- payload: !!map 5\n', [`, entry 1 (line 1, column 18): ${TAG}`]],
    ['- payload: {!!binary a: 1}\n', [`, entry 1 (line 1, column 22): ${TAG}`]],
    ['- qualifier: !!binary c2Vj\n', [`, entry 1 (line 1, column 23): ${TAG}`]],
    ['- !!set {payload}\n', [`, entry 1 (line 1, column 9): ${TAG}`]],
    // Anchors, aliases, merge keys.
    [
      '- payload: &a {b: 1}\n- payload: *a\n',
      [`, entry 1 (line 1, column 12): ${REFERENCE}`, `, entry 2 (line 2, column 12): ${REFERENCE}`],
    ],
    [
      '- &a\n  qualifier: 1\n- *a\n',
      [`, entry 1 (line 1, column 3): ${REFERENCE}`, `, entry 2 (line 3, column 3): ${REFERENCE}`],
    ],
    ['--- &a\n- {}\n', [` (line 1, column 5): ${REFERENCE}`]],
    ['- qualifier: *a\n', [`, entry 1 (line 1, column 14): ${REFERENCE}`]],
    ['- {*a : 1}\n', [`, entry 1 (line 1, column 4): ${REFERENCE}`]],
    [
      '- payload: [&a 1, {&b c: *a}]\n',
      [
        `, entry 1 (line 1, column 13): ${REFERENCE}`,
        `, entry 1 (line 1, column 20): ${REFERENCE}`,
        `, entry 1 (line 1, column 26): ${REFERENCE}`,
      ],
    ],
    ['- payload: [*, 1]\n', [`, entry 1 (line 1, column 13): ${REFERENCE}`]],
    ['*a', [` (line 1, column 1): ${REFERENCE}`]],
    ['- <<: *a\n  payload: 1\n', [`, entry 1 (line 1, column 3): ${MERGE}`]],
    ['- payload:\n    <<: {a: 1}\n', [`, entry 1 (line 2, column 5): ${MERGE}`]],
    // Syntax.
    ['- function_name: f\n   qualifier: a\n', [`, entry 1 (line 1, column 18): ${INDENTED_ALIKE}`]],
    ['- function_name:f\n  qualifier: a\n', [`, entry 1 (line 1, column 3): ${INDENTED_ALIKE}`]],
    [
      '- function_name: f\n qualifier: a\n',
      [
        ', entry 1 (line 2, column 1): the YAML is not valid: this line is indented less than its entry. Indent all keys of an entry alike.',
      ],
    ],
    [
      '- payload: { a: 1\n',
      [
        ', entry 1 (line 2, column 1): the YAML is not valid: a "}" is missing, or a line inside the braces is not indented.',
      ],
    ],
    [
      '- payload: { "a": 1 "b": 2 }\n',
      [', entry 1 (line 1, column 19): the YAML is not valid: a comma is missing before this.'],
    ],
    [
      '- payload: 1\n  qualifier\n',
      [', entry 1 (line 2, column 3): the YAML is not valid: a ":" and a value are missing after this key.'],
    ],
    ['- function_name:f\n', [', entry 1 (line 1, column 3): write a space after "function_name:".']],
    ['- function_name:\u00a0f\n', [', entry 1 (line 1, column 3): write a space after "function_name:".']],
    ['-\u00a0f\n', [` (line 1, column 1): ${ODD_SPACE}`]],
    ['- payload: 1\n\u00a0 qualifier: a\n', [`, entry 1 (line 2, column 1): ${ODD_SPACE}`]],
    ['- payload: 1\n \u200b qualifier: a\n', [`, entry 1 (line 2, column 2): ${ODD_SPACE}`]],
    [
      '- payload: "a\n',
      [', entry 1 (line 2, column 1): the YAML is not valid: the quote at the end of a text is missing.'],
    ],
    ['- payload: a: b\n', [`, entry 1 (line 1, column 12): ${INDENTED_ALIKE}`]],
    [
      '- payload: "\\q"\n',
      [
        ', entry 1 (line 1, column 13): the YAML is not valid: in double quotes a backslash starts an escape, and YAML has no such escape. Write two backslashes for one, or use single quotes.',
      ],
    ],
    [
      '- payload: @a\n',
      [
        ', entry 1 (line 1, column 12): the YAML is not valid: a text that starts with @ ` % , | or > needs quotes.',
      ],
    ],
    ['- {}\n-\tpayload: 1\n', [`, entry 2 (line 2, column 2): ${TABS}`]],
    ['- function_name: f\n\tpayload: 1\n\tregion: x\n- {}\n', [`, entry 1 (line 2, column 1): ${TABS}`]],
    ['- function_name: f\n  payload:\n\t\ta: 1\n\t\tb: 2\n', [`, entry 1 (line 3, column 1): ${TABS}`]],
    ['- function_name: f\n  payload: |\n\t{"a": 1}\n', [`, entry 1 (line 3, column 1): ${TABS}`]],
    ['- payload: {\n\t"a": 1\n\t}\n', [`, entry 1 (line 2, column 1): ${TABS}`]],
    ['- {}\n\t- f\n\t- g\n', [`, entry 1 (line 2, column 1): ${TABS}`]],
    [
      '[\n\t{"payload": 1}\n\t{"payload": 2}\n]',
      [', entry 1 (line 3, column 2): the YAML is not valid: Missing , or : between flow sequence items.'],
    ],
    [
      '- payload: [1, 2\n- qualifier: 1\n',
      [
        ', entry 1 (line 2, column 1): the YAML is not valid: a "]" is missing, or a line inside the brackets is not indented.',
      ],
    ],
    [
      '[{"payload": 1},\n {"payload": 2}\n {"payload": 3}]',
      [', entry 2 (line 3, column 2): the YAML is not valid: Missing , or : between flow sequence items.'],
    ],
    [
      '- {}\n]',
      [', entry 1 (line 2, column 1): the YAML is not valid: Unexpected flow-seq-end token in YAML stream.'],
    ],
    [']', [' (line 1, column 1): the YAML is not valid: Unexpected flow-seq-end token in YAML document.']],
  ])('%j', async (text, problems) => {
    expect(await problemsOf(text)).toEqual(problems.map((problem) => `invocations${problem}`));
  });

  test('reports all of them together, in order, and returns the valid entries', async () => {
    const text = `- function_name: sound
- pyload: 1
  qualifier:
- payload: {a: .nan, a: 1}
- 7
- payload: [1, 2
- payload: "{}"
  tenant_id: {}
- &x
  region: a
- qualifier: sound too
`;
    expect(await read(text)).toEqual({
      entries: [
        { values: { function_name: 'sound' }, number: 1, line: 1 },
        { values: { qualifier: 'sound too' }, number: 8, line: 11 },
      ],
      problems: [
        `invocations, entry 2 (line 2, column 3): there is no key "pyload" (did you mean "payload"?). ${TAKES}`,
        'invocations, entry 2 (line 3, column 3): qualifier has no value. Give it one, or remove the key.',
        `invocations, entry 3 (line 4, column 16): ${NOT_FINITE}`,
        'invocations, entry 3 (line 4, column 22): the key "a" is already on line 4. Remove one of them.',
        `invocations, entry 4 (line 5, column 3): ${notAMapping('a number')}`,
        'invocations, entry 5 (line 7, column 1): the YAML is not valid: a "]" is missing, or a line inside the brackets is not indented.',
        'invocations, entry 6 (line 8, column 14): tenant_id must be a text; this is a mapping.',
        `invocations, entry 7 (line 9, column 3): ${REFERENCE}`,
      ],
    });
  });

  test.each([
    ['LF', '\n'],
    ['CRLF', '\r\n'],
  ])('finds the only mistake in 300 entries, in lines that end with %s', async (_name, end) => {
    const lines = Array.from({ length: 300 }, (_, index) => [
      `- function_name: f${index + 1}`,
      index === 211 ? '  pyload: |' : '  payload: |',
      `    {"index": ${index + 1},`,
      '     "text": "over two lines"}',
    ]).flat();
    const { entries, problems } = await read(lines.join(end));
    expect(problems).toEqual([
      `invocations, entry 212 (line 846, column 3): there is no key "pyload" (did you mean "payload"?). ${TAKES}`,
    ]);
    expect(entries).toHaveLength(299);
    expect(entries.at(-1)).toMatchObject({ number: 300, line: 1197, values: { function_name: 'f300' } });
  });

  test.each([
    '- payload: "hunter2',
    "- payload: 'hunter2",
    '- payload: "\\hunter2"',
    '- payload: "\\xhunter2"',
    '- payload: @hunter2',
    '- payload: |hunter2\n    a',
    '- payload: {a: 1} hunter2',
    '- payload: [1] hunter2: 2',
    '- payload: [a b: hunter2',
    '- payload: hunter2\n hunter2\nhunter2',
    '- payload: *hunter2',
    '- payload: &hunter2 a',
    '- payload: !hunter2 a',
    '- payload: !e!hunter2 a',
    '- payload: !<hunter2 a',
    '%hunter2\n---\n- payload: 1',
    '%YAML hunter2\n---\n- payload: 1',
    '--- hunter2',
    '- payload: 1\n... hunter2',
    '- payload: 1\n--- hunter2',
    '- [hunter2]',
    'hunter2',
    '- qualifier: [hunter2]',
    '- payload: !!int hunter2',
    '- unknown: hunter2',
    '- payload: hunter2\n  payload: hunter2',
    '- payload: 1\n  payload_file: hunter2',
    '- ? [hunter2]\n  : 1',
    '- payload: a: hunter2',
    '- payload: hunter2\n   hunter2: 1',
    '\t- payload: hunter2',
  ])('never repeats a value: %j', async (text) => {
    const problems = await problemsOf(text);
    expect(problems).not.toEqual([]);
    expect(problems.join('\n')).not.toContain('hunter2');
  });
});

describe('a list at its limits', () => {
  heavyTest('10,000 entries are read, each with its own number and line', async () => {
    const text = Array.from(
      { length: 10_000 },
      (_, index) => `- function_name: f${index}\n  payload: {a: ${index}}\n`,
    );
    const { entries, problems } = await read(text.join(''));
    expect(problems).toEqual([]);
    expect(entries).toHaveLength(10_000);
    expect(entries.at(-1)).toEqual({
      values: { function_name: 'f9999', payload: '{"a":9999}' },
      number: 10_000,
      line: 19_999,
    });
  });

  heavyTest('at most 100,000 entries are accepted', async () => {
    const { entries, problems } = await read('- {}\n'.repeat(100_000));
    expect([entries.length, problems]).toEqual([100_000, []]);
    expect(await read('- {}\n'.repeat(100_001))).toEqual({
      entries: [],
      problems: [
        'invocations, entry 100001 (line 100001, column 1): a list can have at most 100,000 entries; this one has 100,001. Split it.',
      ],
    });
  });

  test('aliases that would expand to a billion values are rejected one by one', async () => {
    const levels = Array.from({ length: 9 }, (_, level) => {
      const before = level === 0 ? '1' : `*a${level - 1}`;
      return `    a${level}: &a${level} [${Array(10).fill(before).join(', ')}]\n`;
    });
    const problems = await problemsOf(`- payload:\n${levels.join('')}`);
    expect(problems).toHaveLength(9 + 8 * 10);
    expect(new Set(problems.map((problem) => problem.replace(/^.*\): /, '')))).toEqual(new Set([REFERENCE]));
  });

  test('498 levels within an entry are read', async () => {
    const nested = '['.repeat(498) + ']'.repeat(498);
    expect(await valuesOf(`- payload: ${nested}`)).toEqual({ payload: nested });
  });

  test.each([
    [
      '499 lists in an entry',
      `- {}\n- payload: ${'['.repeat(499)}${']'.repeat(499)}`,
      ', entry 2 (line 2, column 510)',
    ],
    [
      '1,000 lists in an entry',
      `- payload: ${'['.repeat(1000)}${']'.repeat(1000)}`,
      ', entry 1 (line 1, column 510)',
    ],
    [
      '1,000 mappings',
      `- payload: ${'{a: '.repeat(1000)}1${'}'.repeat(1000)}`,
      ', entry 1 (line 1, column 2004)',
    ],
    ['1,000 dashes', '- '.repeat(1000), ', entry 1 (line 1, column 1001)'],
    ['keys of keys', `- payload: ${'? '.repeat(1000)}`, ', entry 1 (line 1, column 1008)'],
    ['20,000 brackets left open', '['.repeat(20_000), ', entry 1 (line 1, column 501)'],
  ])('%s are too deep', async (_what, text, place) => {
    expect(await read(text)).toEqual({ entries: [], problems: [`invocations${place}: ${TOO_DEEP}`] });
  });
});

describe('any JSON value', () => {
  const options = { version: '1.2', aliasDuplicateObjects: false } as const;
  // stringify does not quote such a key, which makes it a merge key.
  const jsonValue = fc
    .jsonValue({ stringUnit: anyCharacter, maxDepth: 4 })
    .filter((value) => !JSON.stringify(value).includes('<<'));

  heavyTest('is read back from the YAML that a library writes', async () => {
    await fc.assert(
      fc.asyncProperty(jsonValue, async (event) => {
        const { entries, problems } = await read(stringify([{}, { payload: { event } }], options));
        expect(problems).toEqual([]);
        // Compared as JSON, because minus zero exists in YAML but becomes zero in JSON.
        expect(JSON.stringify(JSON.parse(entries[1]?.values.payload ?? ''))).toBe(JSON.stringify({ event }));
      }),
      { seed: SEED, numRuns: 500 },
    );
  });

  heavyTest(
    'is read back from compact or indented JSON, byte for byte as JSON.stringify writes it',
    async () => {
      await fc.assert(
        fc.asyncProperty(jsonValue, fc.constantFrom('', '  ', '\t'), async (event, indent) => {
          const text = JSON.stringify([{ payload: [event] }, { client_context: { event } }], null, indent);
          const { entries, problems } = await read(text);
          expect(problems).toEqual([]);
          expect(entries.map(({ values }) => values)).toEqual([
            { payload: JSON.stringify([event]) },
            { client_context: JSON.stringify({ event }) },
          ]);
        }),
        { seed: SEED, numRuns: 500 },
      );
    },
  );

  heavyTest('reading any text throws nothing, and each problem has a position inside the text', async () => {
    const piece = fc.constantFrom(
      ...[
        '- ',
        '\n',
        '  ',
        'payload',
        ': ',
        '{',
        '}',
        '[',
        ']',
        ', ',
        '"',
        "'",
        '&a ',
        '*a ',
        '!!int ',
        '!x ',
        '<<',
      ],
      ...[
        '|\n',
        '>',
        '---\n',
        '...\n',
        '%TAG x y\n',
        '# c',
        '? ',
        '\t',
        '\r\n',
        '\\',
        '5',
        '.nan',
        'a',
        '\uFEFF',
      ],
    );
    await fc.assert(
      fc.asyncProperty(fc.array(piece, { maxLength: 30 }), async (pieces) => {
        const text = pieces.join('').replace(/^\uFEFF/, '');
        const lines = text.split('\n');
        for (const problem of await problemsOf(text)) {
          const [, line, column] =
            /^invocations(?:, entry \d+)? \(line (\d+), column (\d+)\): /.exec(problem) ?? [];
          expect(lines[Number(line) - 1]?.length ?? -1).toBeGreaterThanOrEqual(Number(column) - 1);
        }
      }),
      { seed: SEED, numRuns: 2000 },
    );
  });
});
