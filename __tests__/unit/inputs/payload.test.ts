import { Buffer } from 'node:buffer';
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, symlink } from 'node:fs/promises';
import { createServer } from 'node:net';
import { devNull } from 'node:os';
import path from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { onLinux, onPosix } from '../../platforms.ts';
import {
  createJob,
  environmentOf,
  eventOf,
  invocationFor,
  type Job,
  planFor,
  problemsFor,
} from './factory.ts';

/** A JSON string of the given size. */
const jsonOf = (bytes: number): string => `"${'x'.repeat(bytes - 2)}"`;
const fromFile = (file: string) => ({ payload: '', payload_file: file });

describe('payload', () => {
  test('is sent byte for byte', async () => {
    const { payload } = await invocationFor({ payload: '{ "city" : "Zürich" }' });
    expect((await eventOf(payload)).toString('hex')).toBe(
      Buffer.from('{ "city" : "Zürich" }').toString('hex'),
    );
  });

  test.each(['RequestResponse', 'Event'])('is required for %s', async (type) => {
    expect(await problemsFor({ payload: '', invocation_type: type })).toEqual([
      "payload is required: give the JSON event, '{}' if the function needs no data, or payload_file, http_request or test_event. An empty expression counts as not given.",
    ]);
  });

  test('of a dry run is {} by default', async () => {
    const { payload } = await invocationFor({ payload: '', invocation_type: 'DryRun' });
    expect((await eventOf(payload)).toString()).toBe('{}');
  });

  test('of a dry run is sent if it is given', async () => {
    const { payload } = await invocationFor({ payload: '[1]', invocation_type: 'DryRun' });
    expect((await eventOf(payload)).toString()).toBe('[1]');
  });

  test('and payload_file together are rejected', async () => {
    const job = await createJob({ 'event.json': '{}' });
    expect(await problemsFor({ payload: '{}', payload_file: 'event.json' }, job)).toEqual([
      'payload and payload_file are both given. Keep one of them.',
    ]);
  });
});

describe.each([
  { type: 'RequestResponse', limit: 6_291_456, over: '6,291,457', most: '6,291,456' },
  { type: 'Event', limit: 1_048_576, over: '1,048,577', most: '1,048,576' },
  { type: 'DryRun', limit: 6_291_456, over: '6,291,457', most: '6,291,456' },
])('a payload for $type', ({ type, limit, over, most }) => {
  test(`can have ${most} bytes`, async () => {
    const { payload } = await invocationFor({ invocation_type: type, payload: jsonOf(limit) });
    expect((await eventOf(payload)).length).toBe(limit);
  });

  test(`cannot have ${over} bytes`, async () => {
    expect(await problemsFor({ invocation_type: type, payload: jsonOf(limit + 1) })).toEqual([
      `payload is ${over} bytes; Lambda takes at most ${most} for ${type}. Put the data where the function can fetch it, for example in S3, and send its location.`,
    ]);
  });

  test(`cannot have ${over} bytes in a file`, async () => {
    const job = await createJob({ 'event.json': jsonOf(limit + 1) });
    expect(await problemsFor({ invocation_type: type, ...fromFile('event.json') }, job)).toEqual([
      expect.stringContaining(
        `payload_file "event.json" is ${over} bytes; Lambda takes at most ${most} for ${type}.`,
      ),
    ]);
  });
});

test('a payload is measured in bytes, not in characters', async () => {
  const payload = `"${'é'.repeat(524_288)}"`;
  expect(await problemsFor({ invocation_type: 'Event', payload })).toEqual([
    expect.stringContaining('payload is 1,048,578 bytes'),
  ]);
});

describe('payload_file', () => {
  test('is sent byte for byte', async () => {
    const text = '{ "city" : "Zürich" }\n';
    const job = await createJob({ 'events/warmup.json': text });
    const { payload } = await invocationFor(fromFile('events/warmup.json'), job);
    expect((await eventOf(payload)).toString('hex')).toBe(Buffer.from(text).toString('hex'));
  });

  test('can be an absolute path in the workspace', async () => {
    const job = await createJob({ 'event.json': '[1]' });
    const plan = await planFor(fromFile(path.join(job.workspace, 'event.json')), job);
    expect((await eventOf(plan.invocations[0]?.payload)).toString()).toBe('[1]');
    expect(plan.notes).toEqual([]);
  });

  test('with a byte order mark is sent without it', async () => {
    const job = await createJob({ 'event.json': Buffer.from('\uFEFF{"a": 1}') });
    const { payload } = await invocationFor(fromFile('event.json'), job);
    expect((await eventOf(payload)).toString('hex')).toBe(Buffer.from('{"a": 1}').toString('hex'));
  });

  test('is measured without a byte order mark', async () => {
    const job = await createJob({ 'event.json': `\uFEFF${jsonOf(1_048_576)}` });
    expect(await problemsFor({ invocation_type: 'Event', ...fromFile('event.json') }, job)).toEqual([]);
  });

  test('that is missing is rejected with its full path', async () => {
    const job = await createJob();
    expect(await problemsFor(fromFile('events/warmup.json'), job)).toEqual([
      `payload_file "events/warmup.json" ("${path.join(job.workspace, 'events/warmup.json')}") does not exist. Check the path, and that an earlier step made or checked out the file.`,
    ]);
  });

  test('that is a URL is rejected with the fix', async () => {
    expect(await problemsFor(fromFile('file://event.json'))).toEqual([
      expect.stringMatching(/^payload_file "file:.* does not exist\. Write the path without "file:\/\/"\.$/),
    ]);
  });

  test.each(['{"password": "hunter2"}', '[\n  {"a": 1}\n]', '{}'])(
    'that is the event %j itself is rejected without quoting it',
    async (text) => {
      expect(await problemsFor(fromFile(text))).toEqual([
        'payload_file looks like JSON, and takes a path. To give the event itself, use payload.',
      ]);
    },
  );

  test('below a file is rejected', async () => {
    const job = await createJob({ 'event.json': '{}' });
    expect(await problemsFor(fromFile('event.json/x'), job)).toEqual([
      expect.stringContaining('does not exist: a part of its path is a file'),
    ]);
  });

  test('that is a link to itself is rejected', async () => {
    const job = await createJob();
    await symlink('loop.json', path.join(job.workspace, 'loop.json'));
    expect(await problemsFor(fromFile('loop.json'), job)).toEqual([
      expect.stringContaining('is a symlink that leads back to itself'),
    ]);
  });

  test('that is a folder is rejected', async () => {
    const job = await createJob({ 'events/a.json': '{}' });
    expect(await problemsFor(fromFile('events'), job)).toEqual([
      `payload_file "events" ("${path.join(job.workspace, 'events')}") is a folder. Name a file with the JSON event.`,
    ]);
  });

  test('that is a device is rejected without reading it', async () => {
    expect(await problemsFor(fromFile(devNull))).toEqual([
      expect.stringContaining('is not a regular file. Name a file with the JSON event.'),
    ]);
  });

  onPosix('that is a FIFO is refused without waiting for a writer', async () => {
    const job = await createJob();
    execFileSync('mkfifo', [path.join(job.workspace, 'event.json')]);
    expect(await problemsFor(fromFile('event.json'), job)).toEqual([
      `payload_file "event.json" ("${path.join(job.workspace, 'event.json')}") is not a regular file. Name a file with the JSON event.`,
    ]);
  });

  onPosix('that is a socket is refused', async () => {
    const job = await createJob();
    const server = createServer().listen(path.join(job.workspace, 'event.json'));
    await once(server, 'listening');
    expect(await problemsFor(fromFile('event.json'), job)).toEqual([
      expect.stringContaining('is not a regular file. Name a file with the JSON event.'),
    ]);
    server.close();
  });

  onLinux('that says it is empty and is too long is read up to the limit', async () => {
    expect(await problemsFor({ ...fromFile('/proc/kallsyms'), invocation_type: 'Event' })).toEqual([
      expect.stringMatching(
        /^payload_file "\/proc\/kallsyms".* is at least 1,048,580 bytes; Lambda takes at most/,
      ),
    ]);
  });

  test.each([
    ['nothing', ''],
    ['whitespace', ' \n\t\r\n '],
    ['much whitespace', ' '.repeat(5000)],
    ['a byte order mark', '\uFEFF'],
    ['a byte order mark and a line break', '\uFEFF\n'],
  ])('with only %s is rejected as empty', async (_, content) => {
    const job = await createJob({ 'event.json': content });
    expect(await problemsFor(fromFile('event.json'), job)).toEqual([
      expect.stringMatching(
        /^payload_file "event\.json" is empty\. Write \{\} for an event without content\.$/,
      ),
    ]);
  });

  test.each([
    ['Latin-1', Buffer.from('{"city": "Zürich"}', 'latin1'), 'is not UTF-8. Save it as UTF-8.'],
    ['an image', Buffer.from([0x89, 0x50, 0x4e, 0x47]), 'is not UTF-8. Save it as UTF-8.'],
    [
      'UTF-16 as PowerShell writes it',
      Buffer.from('\uFEFF{"a": 1}', 'utf16le'),
      'is not UTF-8 but UTF-16. Save it as UTF-8.',
    ],
    [
      'UTF-16 in big-endian order',
      Buffer.from('\uFEFF{"a": 1}', 'utf16le').swap16(),
      'is not UTF-8 but UTF-16. Save it as UTF-8.',
    ],
  ])('in %s is rejected', async (_, content, reason) => {
    const job = await createJob({ 'event.json': content });
    expect(await problemsFor(fromFile('event.json'), job)).toEqual([expect.stringContaining(reason)]);
  });

  test('that is not JSON is rejected with line and column, and is not repeated', async () => {
    const job = await createJob({ 'event.json': '{\n  "password": hunter2\n}\n' });
    const problems = await problemsFor(fromFile('event.json'), job);
    expect(problems).toEqual([expect.stringMatching(/^payload_file "event\.json", line 2, column 15: /)]);
    expect(problems.join()).not.toContain('hunter2');
  });

  test('has line and column counted after a byte order mark', async () => {
    const job = await createJob({ 'event.json': '\uFEFF{"a": nope}' });
    expect(await problemsFor(fromFile('event.json'), job)).toEqual([
      expect.stringContaining('line 1, column 7:'),
    ]);
  });

  test('that contains the event itself by mistake is not repeated in full', async () => {
    const event = JSON.stringify({ text: 'x'.repeat(200), password: 'hunter2' });
    expect((await problemsFor(fromFile(event))).join()).not.toContain('hunter2');
  });
});

describe('a payload_file outside the workspace', () => {
  test('is read through .., with its resolved path in a note', async () => {
    const job = await createJob({ '../shared/event.json': '[1]' });
    const plan = await planFor(fromFile('../shared/event.json'), job);
    expect((await eventOf(plan.invocations[0]?.payload)).toString()).toBe('[1]');
    expect(plan.notes).toEqual([
      `payload_file is "${path.join(job.folder, 'shared/event.json')}", outside the workspace "${job.workspace}".`,
    ]);
  });

  test('is rejected if a symlink in the workspace leads to it', async () => {
    const job = await createJob({ '../shared/event.json': 'hunter2' });
    await symlink('../shared/event.json', path.join(job.workspace, 'event.json'));
    expect(await problemsFor(fromFile('event.json'), job)).toEqual([
      `payload_file "event.json" leads out of the workspace, to "${path.join(job.folder, 'shared/event.json')}", through a symlink. To use that file, write its absolute path in the workflow.`,
    ]);
    const absolute = path.join(job.workspace, 'event.json');
    expect(await problemsFor(fromFile(absolute), job)).toEqual([
      expect.stringContaining('leads out of the workspace'),
    ]);
  });

  test('is rejected if a symlinked folder in the workspace leads to it', async () => {
    const job = await createJob({ '../shared/event.json': '{}' });
    await symlink('../shared', path.join(job.workspace, 'events'));
    expect(await problemsFor(fromFile('events/event.json'), job)).toEqual([
      expect.stringContaining('leads out of the workspace'),
    ]);
  });

  test('is read with a note if a symlink leads to RUNNER_TEMP', async () => {
    const job = await createJob({ '../temp/event.json': '[1]' });
    await symlink('../temp', path.join(job.workspace, 'events'));
    const plan = await planFor(fromFile('events/event.json'), job);
    expect((await eventOf(plan.invocations[0]?.payload)).toString()).toBe('[1]');
    expect(plan.notes).toEqual([
      `payload_file is "${path.join(job.folder, 'temp/event.json')}", outside the workspace "${job.workspace}".`,
    ]);
  });

  test('is read with a note by its absolute path, also through a symlink', async () => {
    const job = await createJob({ '../shared/event.json': '[1]' });
    await symlink('event.json', path.join(job.folder, 'shared/link.json'));
    const plan = await planFor(fromFile(path.join(job.folder, 'shared/link.json')), job);
    expect((await eventOf(plan.invocations[0]?.payload)).toString()).toBe('[1]');
    expect(plan.notes).toEqual([
      `payload_file is "${path.join(job.folder, 'shared/event.json')}", outside the workspace "${job.workspace}".`,
    ]);
  });

  test.each([
    [
      'read',
      '{}',
      (job: Job) => planFor(fromFile('../shared/a\r::error::b.json'), job).then(({ notes }) => notes),
    ],
    [
      'refused',
      '{}',
      async (job: Job) => {
        await symlink('../shared/a\n::error::b.json', path.join(job.workspace, 'event.json'));
        return problemsFor(fromFile('event.json'), job);
      },
    ],
  ])('is named on one line if it is %s', async (_, content, linesOf) => {
    const job = await createJob({
      '../shared/a\n::error::b.json': content,
      '../shared/a\r::error::b.json': content,
    });
    const lines = await linesOf(job);
    expect(lines).toHaveLength(1);
    expect(lines.join()).not.toMatch(/[\r\n]/);
  });

  test.each([
    ['empty', '', 'is empty'],
    ['not UTF-8', Buffer.from([0xc3, 0x28]), 'is not UTF-8'],
    ['not JSON', 'hunter2', ' outside the workspace, line 1, column 1: '],
    ['too large', jsonOf(6_291_457), 'is 6,291,457 bytes'],
  ])('that is %s is rejected under its real name', async (_, content, reason) => {
    const job = await createJob({ '../shared/event.json': content });
    const [problem] = await problemsFor(fromFile('../shared/event.json'), job);
    expect(problem).toContain('payload_file "../shared/event.json"');
    expect(problem).toContain(path.join(job.folder, 'shared/event.json'));
    expect(problem).toContain(reason);
    expect(problem).not.toContain('hunter2');
  });

  test('that is a folder is rejected under its real name', async () => {
    const job = await createJob();
    await mkdir(path.join(job.folder, 'shared'));
    expect(await problemsFor(fromFile('../shared'), job)).toEqual([
      `payload_file "../shared", which is "${path.join(job.folder, 'shared')}" outside the workspace, is a folder. Name a file with the JSON event.`,
    ]);
  });

  test('is not assumed from a similar path', async () => {
    const job = await createJob({ '..event.json': '{}', 'real.json': '{}' });
    await symlink('real.json', path.join(job.workspace, 'link.json'));
    const linked = path.join(job.folder, 'linked');
    await symlink(job.workspace, linked);
    const throughLink = { ...job, environment: environmentOf(linked, job.environment.temporaryFolder) };
    expect((await planFor(fromFile('..event.json'), job)).notes).toEqual([]);
    expect((await planFor(fromFile('link.json'), job)).notes).toEqual([]);
    expect((await planFor(fromFile('sub/../real.json'), job)).notes).toEqual([]);
    expect((await planFor(fromFile('real.json'), throughLink)).notes).toEqual([]);
  });
});
