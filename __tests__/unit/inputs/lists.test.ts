import { Buffer } from 'node:buffer';
import { appendFile, rename, symlink, utimes, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { readInvocationsFile } from '../../../src/inputs/invocations-file.ts';
import { partsOf } from '../../../src/inputs/json-lines.ts';
import type { Plan } from '../../../src/inputs/plan.ts';
import { Problems } from '../../../src/inputs/problems.ts';
import { onPosix } from '../../platforms.ts';
import { SEED } from '../../seed.ts';
import { createJob, eventOf, type Given, type Job, planFor, problemsFor } from './factory.ts';

const events = ({ invocations }: Plan): Promise<string[]> =>
  Promise.all(Array.from(invocations, async ({ payload }) => (await eventOf(payload)).toString()));

const fromFile = (file: string, more: Given = {}): Given => ({ ...more, payload: '', payload_file: file });
const listed = (file: string, more: Given = {}): Given => ({ payload: '', invocations_file: file, ...more });

type Files = Readonly<Record<string, string | Uint8Array>>;
const eventsOf = async (files: Files, given: Given): Promise<string[]> =>
  events(await planFor(given, await createJob(files)));
const problemsOf = async (files: Files, given: Given): Promise<readonly string[]> =>
  problemsFor(given, await createJob(files));

describe('payload_file with several events', () => {
  test('is one path per line, in that order', async () => {
    const files = { 'b.json': '{"b":1}', 'a.json': '{"a":1}' };
    expect(await eventsOf(files, fromFile(' b.json \n\n a.json\n'))).toEqual(['{"b":1}', '{"a":1}']);
  });

  test('is a glob, whose matches are in the order of their names and leave out folders', async () => {
    const files = {
      'events/2.json': '2',
      'events/10.json': '10',
      'events/more/3.json': '3',
      'events/x.txt': '',
    };
    expect(await eventsOf(files, fromFile('events/*.json'))).toEqual(['10', '2']);
    expect(await eventsOf(files, fromFile('events/**/*.json'))).toEqual(['10', '2', '3']);
    expect(await eventsOf({ ...files, 'events/x.txt': '0' }, fromFile('events/*'))).toEqual(['10', '2', '0']);
  });

  test('has a file once that several lines name', async () => {
    const files = { 'a.json': '1', 'b.json': '2' };
    expect(await eventsOf(files, fromFile('b.json\n*.json\n./b.json'))).toEqual(['2', '1']);
  });

  test('names a file with the characters of a glob in its name', async () => {
    expect(await eventsOf({ 'a[1].json': '1', 'a1.json': '2' }, fromFile('a[1].json'))).toEqual(['1']);
    expect(await eventsOf({ 'a1.json': '2' }, fromFile('a[1].json'))).toEqual(['2']);
  });

  test('is JSON lines, each an event byte for byte', async () => {
    const text = '{"n": 1.0}\r\n\n  [12345678901234567890]\t\n   \r\n"é"';
    for (const name of ['events.jsonl', 'events.NDJSON']) {
      expect(await eventsOf({ [name]: text }, fromFile(name))).toEqual([
        '{"n": 1.0}',
        '[12345678901234567890]',
        '"é"',
      ]);
    }
  });

  test('may begin with a byte order mark, and end with or without a line feed', async () => {
    expect(await eventsOf({ 'e.jsonl': '\ufeff1\n2\n' }, fromFile('e.jsonl'))).toEqual(['1', '2']);
    expect(await eventsOf({ 'e.jsonl': '\ufeff1' }, fromFile('e.jsonl'))).toEqual(['1']);
  });

  test('has lines that are longer than what is read at once', async () => {
    const lines = [300_000, 1, 600_000].map((length) => JSON.stringify('é'.repeat(length)));
    expect(await eventsOf({ 'e.jsonl': lines.join('\n') }, fromFile('e.jsonl'))).toEqual(lines);
  });

  test('sends every event to every function, one function after the other', async () => {
    const job = await createJob({ 'e.jsonl': '1\n2\n' });
    const plan = await planFor(fromFile('e.jsonl', { function_name: 'one\ntwo' }), job);
    expect(plan.invocations.map(({ index, functionName }) => [index, functionName])).toEqual([
      [0, 'one'],
      [1, 'one'],
      [2, 'two'],
      [3, 'two'],
    ]);
    expect(await events(plan)).toEqual(['1', '2', '1', '2']);
  });

  test('is inherited by the entries of a list, and each entry may have its own', async () => {
    const files = { 'e.jsonl': '1\n2\n', 'own.jsonl': '3\n4\n' };
    const given = fromFile('e.jsonl', { invocations: '- {}\n- payload_file: own.jsonl\n- payload: 5' });
    expect(await eventsOf(files, given)).toEqual(['1', '2', '3', '4', '5']);
  });

  test('is split by shard and multiplied by repeat, with the same indexes in every shard', async () => {
    const job = await createJob({ 'e.jsonl': '0\n1\n2\n3\n4\n' });
    const given = fromFile('e.jsonl', { function_name: 'one\ntwo', repeat: '2' });
    const shards = [0, 1, 2].map((index) => planFor({ ...given, shard: `${index}/3` }, job));
    const all = (await Promise.all(shards)).flatMap(({ invocations }) => invocations);
    expect(all.map(({ index }) => index).sort((a, b) => a - b)).toEqual(
      Array.from({ length: 20 }, (_, at) => at),
    );
    const whole = await planFor(given, job);
    for (const { index, payload, functionName } of all) {
      const same = whole.invocations[index];
      expect(functionName).toBe(same?.functionName);
      expect(await eventOf(payload)).toEqual(await eventOf(same?.payload));
    }
  });

  test.each<[string, Files, string, readonly unknown[]]>([
    [
      'a mistake in JSON',
      { 'e.jsonl': '1\n\n{"a": 1,}\n[\n' },
      'e.jsonl',
      [
        'payload_file "e.jsonl", line 3, column 8: remove the comma before "}".',
        'payload_file "e.jsonl", line 4, column 2: the text ends before the JSON does: "]" is missing.',
      ],
    ],
    [
      'two events on a line',
      { 'e.jsonl': '1\r\n{} {}\r\n' },
      'e.jsonl',
      [
        'payload_file "e.jsonl", line 2, column 4: the JSON ends before this text. Remove the rest. For several events, put each on a line of its own in a .jsonl file.',
      ],
    ],
    [
      'a line that is not UTF-8',
      { 'e.jsonl': Buffer.from('1\n"\xe9"\n"ok"\n', 'latin1') },
      'e.jsonl',
      ['payload_file "e.jsonl", line 2 is not UTF-8. Save it as UTF-8.'],
    ],
    [
      'UTF-16, once',
      { 'e.jsonl': Buffer.from('\ufeff1\n2\n3\n', 'utf16le') },
      'e.jsonl',
      ['payload_file "e.jsonl", line 1 is not UTF-8 but UTF-16. Save it as UTF-8.'],
    ],
    [
      'a line that is too long',
      { 'e.jsonl': `1\n"${'x'.repeat(6_291_455)}"\n}\n` },
      'e.jsonl',
      [
        expect.stringMatching(
          /^payload_file "e\.jsonl", line 2 is 6,291,457 bytes; Lambda takes at most 6,291,456 /,
        ),
        expect.stringMatching(/^payload_file "e\.jsonl", line 3, column 1: /),
      ],
    ],
    [
      'no events',
      { 'e.jsonl': '\ufeff\n \r\n' },
      'e.jsonl',
      ['payload_file "e.jsonl" has no events. Write one on each line.'],
    ],
    [
      'a pattern without a match, and the mistakes in the other files',
      { 'a.json': '{' },
      'a.json\nnone/*.json',
      [
        'payload_file "none/*.json" matches no file. Check the pattern, and that an earlier step made or checked out the files.',
        'payload_file "a.json", line 1, column 2: the text ends before the JSON does: "}" is missing.',
      ],
    ],
    [
      'too many events',
      { 'e.jsonl': '1\n'.repeat(100_001) },
      'e.jsonl',
      ['payload_file "e.jsonl" has more than 100,000 events. Split it.'],
    ],
  ])('is refused with file and line for %s', async (_, files, file, problems) => {
    expect(await problemsOf(files, fromFile(file))).toEqual(problems);
  });

  test('warns of an expression in a line, with its place', async () => {
    const job = await createJob({ 'e.jsonl': '1\n{"a": "${{ github.sha }}"}\n' });
    expect((await planFor(fromFile('e.jsonl'), job)).warnings).toEqual([
      'payload_file "e.jsonl", line 2 contains "${{" (column 8): expressions are not evaluated in files. It is sent as it is.',
    ]);
  });

  test('is refused with one durable_execution_name for all of them', async () => {
    const given = fromFile('e.jsonl', { durable_execution_name: 'order-7' });
    expect(await problemsOf({ 'e.jsonl': '1\n2\n' }, given)).toEqual([
      'durable_execution_name names one execution, and payload_file has several events. Give each event an entry of its own in invocations_file.',
    ]);
    expect(await eventsOf({ 'e.jsonl': '1\n' }, given)).toEqual(['1']);
  });

  test('is refused where it names the journal, as a glob does when the step runs again', async () => {
    const files = { 'e.jsonl': '1\n', 'journal.jsonl': '2\n' };
    const given = fromFile('*.jsonl', { journal: './journal.jsonl' });
    expect(await problemsOf(files, given)).toEqual([
      'payload_file names the journal "./journal.jsonl" as one of the files. Keep the journal in another folder.',
    ]);
    expect(await eventsOf(files, { ...given, journal: 'other/journal.jsonl' })).toEqual(['1', '2']);
  });

  onPosix('follows no symlink out of the workspace, whether it is named or matches', async () => {
    const job = await createJob({
      '../outside/secret.json': '1',
      '../outside/secret.jsonl': '1',
      'own.json': '2',
    });
    await symlink('../outside/secret.jsonl', path.join(job.workspace, 'link.jsonl'));
    await symlink('../outside', path.join(job.workspace, 'folder'));
    await symlink('own.json', path.join(job.workspace, 'inside.json'));
    for (const file of ['link.jsonl', '*.jsonl', 'folder/*.json', 'folder/secret.json']) {
      expect(await problemsFor(fromFile(file), job)).toEqual([
        expect.stringContaining('leads out of the workspace, to '),
      ]);
    }
    expect(await events(await planFor(fromFile('in*.json\nown.json'), job))).toEqual(['2', '2']);
  });
});

describe('invocations_file', () => {
  const ENTRIES = [
    { name: 'first', function_name: 'one', payload: { id: 1 }, qualifier: 7 },
    'two:PROD',
    { payload: ' {"id": 3} ', tenant_id: 'b', expect: 'response.ok == `true`', timeout_seconds: 5 },
  ];
  const FORMS: Files = {
    'list.yml':
      '- { name: first, function_name: one, payload: {id: 1}, qualifier: 7 }\n- two:PROD\n' +
      '- payload: \' {"id": 3} \'\n  tenant_id: b\n  expect: response.ok == `true`\n  timeout_seconds: 5\n',
    'list.json': JSON.stringify(ENTRIES, undefined, 2),
    'list.jsonl': `${ENTRIES.map((entry) => JSON.stringify(entry)).join('\r\n\r\n')}`,
    'list.ndjson': `\ufeff${ENTRIES.map((entry) => JSON.stringify(entry)).join('\n')}\n`,
  };

  test.each(['list.yml', 'list.json', 'list.jsonl', 'list.ndjson'])(
    'takes %s, with all that an entry may have',
    async (file) => {
      const job = await createJob({ ...FORMS, 'step.json': '"of the step"' });
      const plan = await planFor(listed(file, { function_name: 'step', payload_file: 'step.json' }), job);
      expect(plan.invocations).toEqual([
        expect.objectContaining({ index: 0, name: 'first', functionName: 'one', qualifier: '7' }),
        expect.objectContaining({ index: 1, functionName: 'two:PROD' }),
        expect.objectContaining({
          index: 2,
          functionName: 'step',
          tenantId: 'b',
          expect: ['response.ok == `true`'],
          timeoutMs: 5000,
        }),
      ]);
      const [first = '', ...rest] = await events(plan);
      expect(JSON.parse(first)).toEqual({ id: 1 });
      expect(rest).toEqual(['"of the step"', '{"id": 3}']);
    },
  );

  test.each(['list.json', 'list.jsonl'])(
    'keeps every digit, key and byte of a payload in %s',
    async (file) => {
      const payload = '{ "2": 1.0, "1": 12345678901234567890,\t"a}]": "\\u00e9 \\" é", "1": [{}, []] }';
      const entry = `{ "tenant_id":12345678901234567890, "payload" :  ${payload} ,"client_context":{"a":1.0}}`;
      const text = file === 'list.json' ? `[ {},\n ${entry} ]` : `{}\n ${entry} `;
      const job = await createJob({ [file]: text });
      const plan = await planFor(listed(file, { payload: '0' }), job);
      expect(await events(plan)).toEqual(['0', payload]);
      expect(plan.invocations[1]).toMatchObject({
        tenantId: '12345678901234567890',
        clientContext: Buffer.from('{"a":1.0}').toString('base64'),
      });
    },
  );

  test('keeps the white space of an HTTP request in every form', async () => {
    const entry = { function_name: 'f', http_request: 'POST /x\ncontent-type: text/plain\n\n  body \n\n' };
    const texts = {
      'l.jsonl': JSON.stringify(entry),
      'l.json': JSON.stringify([entry]),
      'l.yml': JSON.stringify([entry]),
    };
    for (const [file, text] of Object.entries(texts)) {
      const [event = ''] = await eventsOf({ [file]: text }, listed(file));
      expect(JSON.parse(event)).toMatchObject({ body: '  body \n', headers: { 'content-length': '8' } });
    }
  });

  test('takes payload_file in an entry, with several events', async () => {
    const files = {
      'list.jsonl': '{"payload_file":"e/*.json"}\n{"payload":null}',
      'e/a.json': '1',
      'e/b.json': '2',
    };
    expect(await eventsOf(files, listed('list.jsonl'))).toEqual(['1', '2', 'null']);
  });

  test.each<[string, string, readonly unknown[]]>([
    [
      'list.jsonl',
      '{"payload": 1}\n\n{"payload": 1, "retry": "never", "functon_name": "f"}\n{"qualifier": null, "region": []}\n5\n{"payload": {"a": 1,}}',
      [
        'line 3: retry is set for the whole step. Move it out of the entry, into "with:".',
        expect.stringMatching(
          /^line 3: there is no key "functon_name" \(did you mean "function_name"\?\)\. /,
        ),
        'line 4: qualifier has no value. Give it one, or remove the key.',
        'line 4: region must be a text; this is a list.',
        expect.stringMatching(
          /^line 5: an entry must be a function's name or a mapping, .*; this is a number\./,
        ),
        'line 6, column 20: remove the comma before "}".',
      ],
    ],
    [
      'list.jsonl',
      '{"payload": 1, "payload": 2}\n{"payload": 1, "payload_file": "a.json"}\n{"payload": "{"}\n{"payload": 1, "qualifier": "a b"}',
      [
        'line 1: the key "payload" is there twice. Remove one of them.',
        'line 2: payload and payload_file are both given. Keep one of them.',
        'line 3: payload, line 1, column 2: the text ends before the JSON does: "}" is missing.',
        expect.stringMatching(/^line 4: qualifier must be /),
      ],
    ],
    [
      'list.json',
      '[\n  {"payload": 1},\n  {"pay_load": 1},\n\n  {"payload_file": "none.json"}\n]',
      [
        expect.stringMatching(
          /^entry 2 \(line 3\): there is no key "pay_load" \(did you mean "payload"\?\)\. /,
        ),
        expect.stringMatching(/^entry 3 \(line 5\): payload_file "none\.json" \(".*"\) does not exist\. /),
      ],
    ],
    ['list.json', '[{"payload": 1}\n{}]', ['line 1, column 16: a comma is missing after this value.']],
    [
      'list.yml',
      '- payload: 1\n- retry: safe\n',
      [
        'entry 2 (line 2, column 3): retry is set for the whole step. Move it out of the entry, into "with:".',
      ],
    ],
  ])('is refused with %s and the line', async (file, text, problems) => {
    const found = await problemsOf({ [file]: text }, listed(file));
    const named = `invocations_file "${file}", `;
    expect(found.map((problem) => problem.slice(problem.startsWith(named) ? named.length : 0))).toEqual(
      problems,
    );
  });

  test.each<[string, string | Uint8Array, string]>([
    ['list.jsonl', '\n \n', 'has no entries. Write one on each line.'],
    [
      'list.json',
      '{"payload": 1}',
      'must hold a list of entries; this is a mapping. Write [ ] around the entries.',
    ],
    [
      'list.json',
      '{"payload": 1}\n{"payload": 2}',
      ', line 2, column 1: the JSON ends before this text. Remove the rest. For several entries, put each on a line of its own in a .jsonl file.',
    ],
    [
      'list.json',
      '- payload: 1\n',
      ', line 1, column 1: this looks like YAML. Give the file a name that ends in .yml.',
    ],
    [
      'list.yml',
      'lists/own.yml\n',
      'holds a path, not a list. Git may have checked out a symlink as a text file.',
    ],
    ['list.json', '[]', ': the list is empty. Give at least one entry.'],
    ['list.txt', '', 'must have a name that ends in .yml, .yaml, .json, .jsonl or .ndjson.'],
    [
      'list.yml',
      `- payload: "${'x'.repeat(4 * 1024 * 1024)}"\n`,
      'is 4,194,318 bytes; a list in YAML can have at most 4,194,304. Write JSON lines: a .jsonl file with one entry on each line.',
    ],
    ['list.jsonl', Buffer.from('{}\n"\xe9"\n', 'latin1'), ', line 2 is not UTF-8. Save it as UTF-8.'],
    [
      'list.jsonl',
      `{}\n"${'x'.repeat(16 * 1024 * 1024)}"\n`,
      ', line 2 is 16,777,218 bytes; a line can have at most 16,777,216.',
    ],
    [
      'list.jsonl',
      '{}\n'.repeat(100_001),
      'has more than 100,000 entries, the most that a list can have. Split it.',
    ],
  ])('%s is refused as a whole: %#', async (file, text, problem) => {
    const [found = ''] = (await problemsOf({ [file]: text }, listed(file, { payload: '1' }))).slice(-1);
    expect(found.replace(/^invocations_file "[^"]*" ?/, '')).toBe(problem);
  });

  test('and invocations together are refused, as are several functions', async () => {
    const files = { 'list.jsonl': '{}\n' };
    expect(await problemsOf(files, listed('list.jsonl', { payload: '1', invocations: '- {}' }))).toEqual([
      'invocations and invocations_file are both given. Remove one of them.',
    ]);
    expect(await problemsOf(files, listed('list.jsonl', { payload: '1', function_name: 'a\nb' }))).toEqual([
      'function_name has several lines and invocations_file is given too. Name the functions in one of them.',
    ]);
  });

  test.each(['lists/*.jsonl', 'a.yml\nb.yml'])('that is not one path but %j is refused', async (text) => {
    expect(await problemsOf({ 'a.yml': '- {}' }, listed(text, { payload: '1' }))).toEqual([
      expect.stringMatching(/ does not exist\. invocations_file takes the path of one file, not several/),
    ]);
  });

  test('outside the workspace is named once in a problem', async () => {
    const job = await createJob({ '../outside/list.json': '[1,]', '../outside/list.jsonl': '1\n' });
    const file = path.join(job.folder, 'outside/list.json');
    const named = `invocations_file "${file}", which is "${file}" outside the workspace, `;
    expect(await problemsFor(listed(file), job)).toEqual([
      `${named}line 1, column 3: remove the comma before "]".`,
    ]);
    expect(await problemsFor(listed(`${file}l`), job)).toEqual([
      expect.stringContaining(' outside the workspace, line 1: an entry must be a function'),
    ]);
  });

  test('outside the workspace is read where the workflow says so, and named in the log', async () => {
    const job = await createJob({ '../outside/list.jsonl': '{"payload":1}\n' });
    const file = path.join(job.folder, 'outside/list.jsonl');
    const plan = await planFor(listed(file), job);
    expect(await events(plan)).toEqual(['1']);
    expect(plan.notes).toEqual([`invocations_file is "${file}", outside the workspace "${job.workspace}".`]);
  });

  onPosix('follows no symlink out of the workspace', async () => {
    const job = await createJob({ '../outside/list.jsonl': '{}\n' });
    await symlink('../outside/list.jsonl', path.join(job.workspace, 'list.jsonl'));
    expect(await problemsFor(listed('list.jsonl', { payload: '1' }), job)).toEqual([
      expect.stringMatching(/^invocations_file "list\.jsonl" leads out of the workspace, to /),
    ]);
  });
});

test('the values of an object and of a list are found where JSON.parse finds them', () => {
  const texts = fc.tuple(fc.jsonValue(), fc.constantFrom(undefined, 1, '\t', '\r\n '));
  fc.assert(
    fc.property(texts, ([given, space]) => {
      const json = Buffer.from(`\n ${JSON.stringify(given, undefined, space)} \t`);
      const value: unknown = JSON.parse(json.toString());
      const parts = [...partsOf(json)];
      const values = parts.map(({ start, end }) => JSON.parse(json.toString('utf8', start, end)));
      const isNested = typeof value === 'object' && value !== null;
      expect(values).toEqual(isNested ? Object.values(value) : []);
      expect(parts.map(({ key }) => key)).toEqual(
        Array.isArray(value) || !isNested ? values.map(() => undefined) : Object.keys(value),
      );
    }),
    { numRuns: 500, seed: SEED },
  );
});

describe('a file that changes after it was checked', () => {
  const inWorkspace = ({ workspace }: Job): string => path.join(workspace, 'e.jsonl');
  test.each<[string, (file: string) => Promise<void>]>([
    ['another event in the same place', (file) => writeFile(file, '1\n3\n')],
    [
      'another event in the same place, of the same size and time',
      async (file) => {
        await writeFile(file, '1\n3\n');
        await utimes(file, 2, 2);
      },
    ],
    ['one line more', (file) => appendFile(file, '3\n')],
    ['another time of writing', (file) => utimes(file, 1, 1)],
    [
      'the same text in another file',
      async (file) => {
        await writeFile(`${file}.new`, '1\n2\n');
        await rename(`${file}.new`, file);
      },
    ],
  ])('%s: no event of it is sent', async (_, change) => {
    const job = await createJob({ 'e.jsonl': '1\n2\n' });
    await utimes(inWorkspace(job), 2, 2);
    const plan = await planFor(fromFile('e.jsonl'), job);
    expect(await events(plan)).toEqual(['1', '2']);
    await change(inWorkspace(job));
    await expect(eventOf(plan.invocations[1]?.payload)).rejects.toThrow(
      'payload_file "e.jsonl", line 2 was changed after it was checked',
    );
  });

  test('while it is read is refused', async () => {
    const { workspace, environment } = await createJob({ 'list.jsonl': '{}\n{}\n' });
    const folders = { workspace, temporaryFolder: environment.temporaryFolder };
    const problems = new Problems();
    const named = { input: 'invocations_file', file: 'list.jsonl', folders } as const;
    await readInvocationsFile(named, problems, () => appendFile(path.join(workspace, 'list.jsonl'), ' '));
    expect(problems.error?.problems).toEqual([
      'invocations_file "list.jsonl" was changed while it was read. Run this step when the file is complete.',
    ]);
  });
});

test('invocations of a list that differ in all that entries can have are each its own', async () => {
  const entries = Array.from({ length: 2_100 }, (_, id) => ({
    function_name: id % 3 === 0 ? 'one' : 'two:live',
    ...(id % 2 === 0 && { name: `entry ${id}` }),
    ...(id % 7 > 0 && { tenant_id: `tenant-${id}` }),
    ...(id % 4 === 0 && { timeout_seconds: 1 + (id % 5) }),
    payload: { id },
  }));
  const text = entries.map((entry) => JSON.stringify(entry)).join('\n');
  const { invocations } = await planFor(listed('l.jsonl'), await createJob({ 'l.jsonl': text }));
  const found = invocations.map(({ index, functionName, name, tenantId, timeoutMs }) => ({
    ...{ index, functionName, name, tenantId, timeoutMs },
  }));
  expect(found).toEqual(
    entries.map((entry, index) => ({
      index,
      functionName: entry.function_name,
      name: entry.name,
      tenantId: entry.tenant_id,
      timeoutMs: entry.timeout_seconds && entry.timeout_seconds * 1_000,
    })),
  );
  const last = await Promise.all(invocations.slice(-3).map(({ payload }) => eventOf(payload)));
  expect(last.map(String)).toEqual(['{"id":2097}', '{"id":2098}', '{"id":2099}']);
});
