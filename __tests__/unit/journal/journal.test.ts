import { Buffer } from 'node:buffer';
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { appendFile, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Journal } from '../../../src/journal/journal.ts';
import { JournalKeys } from '../../../src/journal/records.ts';
import type { Outcome } from '../../../src/outcome/outcome.ts';
import { anInvocation } from '../../base.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'journal-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const INVOCATION = anInvocation();

let files = 0;
function place(): { file: string; temporaryFolder: string } {
  files += 1;
  return { file: path.join(folder, `${files}.jsonl`), temporaryFolder: folder };
}

const AT = new Date('2026-01-02T03:04:05.678Z');
const KEY = 'ab'.repeat(16);
const OTHER = 'cd'.repeat(16);

const outcome = (kind: 'succeeded' | 'unknown' | 'not_invoked' | 'function_error'): Outcome => {
  const fields = {
    index: 0,
    function_name: 'f',
    invocation_type: 'RequestResponse',
    started_at: AT.toISOString(),
    elapsed_ms: 1,
    attempts: 1,
  } as const;
  const error = { name: 'E', message: 'm', advice: 'a' };
  switch (kind) {
    case 'succeeded':
      return { ...fields, outcome: kind, status_code: 200, response: { a: 1, sum: '0123456789abcdef' } };
    case 'function_error':
      return { ...fields, outcome: kind, status_code: 200, function_error: 'Unhandled' };
    case 'unknown':
      return { ...fields, outcome: kind, ran: 'may_have_run', error };
    case 'not_invoked':
      return { ...fields, outcome: kind, ran: 'did_not_run', error };
    default:
      return kind satisfies never;
  }
};

/** Writes a run into a journal: `sent`, or the outcome of the invocation with this key. */
async function write(
  at: { file: string; temporaryFolder: string },
  run: string,
  lines: readonly (readonly [string, 'sent' | Parameters<typeof outcome>[0]])[],
): Promise<void> {
  const journal = await Journal.open(at, run);
  for (const [key, what] of lines) {
    if (what === 'sent') await journal.sent({ key, at: AT, requestId: 'id-1' });
    else journal.ended({ key, ended: AT.toISOString() }, JSON.stringify(outcome(what)));
  }
  await journal.close();
}

async function stateOf(
  at: { file: string; temporaryFolder: string },
  key = KEY,
): Promise<string | undefined> {
  const journal = await Journal.open(at, 'reader');
  const state = journal.stateOf(key);
  await journal.close();
  return state?.kind;
}

describe('a journal says', () => {
  test.each([
    ['nothing about an invocation that it does not contain', [], undefined],
    ['that a request without an outcome is unknown', [['r1', 'sent']], 'unknown'],
    [
      'that a successful invocation succeeded',
      [
        ['r1', 'sent'],
        ['r1', 'succeeded'],
      ],
      'succeeded',
    ],
    [
      'that a failed invocation can be sent',
      [
        ['r1', 'sent'],
        ['r1', 'function_error'],
      ],
      undefined,
    ],
    [
      'that an invocation that did not run can be sent',
      [
        ['r1', 'sent'],
        ['r1', 'not_invoked'],
      ],
      undefined,
    ],
    [
      'that an unknown outcome is unknown',
      [
        ['r1', 'sent'],
        ['r1', 'unknown'],
      ],
      'unknown',
    ],
    [
      "that a request of one run is not resolved by another's failure",
      [
        ['r1', 'sent'],
        ['r2', 'sent'],
        ['r2', 'not_invoked'],
      ],
      'unknown',
    ],
    [
      "that a request of one run is resolved by another's success",
      [
        ['r1', 'sent'],
        ['r2', 'sent'],
        ['r2', 'succeeded'],
      ],
      'succeeded',
    ],
    [
      'that an unknown outcome stays unknown if a later run fails',
      [
        ['r1', 'sent'],
        ['r1', 'unknown'],
        ['r2', 'sent'],
        ['r2', 'function_error'],
      ],
      'unknown',
    ],
  ] as const)('%s', async (_, lines, expected) => {
    const at = place();
    for (const [run, what] of lines) await write(at, run, [[KEY, what]]);
    expect(await stateOf(at)).toBe(expected);
    expect(await stateOf(at, OTHER)).toBeUndefined();
  });

  test('when a request without an outcome was sent, and its ID', async () => {
    const at = place();
    await write(at, 'r1', [[KEY, 'sent']]);
    const journal = await Journal.open(at, 'r2');
    expect(journal.stateOf(KEY)).toEqual({
      kind: 'unknown',
      requests: [{ sentAt: AT, requestId: 'id-1' }],
    });
    await journal.close();
  });
});

test('a journal has all attempts of an invocation without an outcome, the last one last', async () => {
  const at = place();
  const first = await Journal.open(at, 'r1');
  for (let attempt = 1; attempt <= 12; attempt += 1) {
    await first.sent({ key: KEY, at: AT, requestId: `id-${attempt}` });
  }
  await first.close();
  const journal = await Journal.open(at, 'r2');
  const state = journal.stateOf(KEY);
  const ids = state?.kind === 'unknown' ? state.requests.map(({ requestId }) => requestId) : [];
  expect(ids).toEqual(Array.from({ length: 10 }, (_, attempt) => `id-${attempt + 3}`));
  await journal.close();
});

const FLIPS = [0x01, 0x20, 0x80];

describe('damage', () => {
  async function whole(last: 'sent' | 'succeeded'): Promise<Buffer> {
    const at = place();
    await write(at, 'r0', [
      [OTHER, 'sent'],
      [OTHER, 'succeeded'],
      [KEY, 'sent'],
    ]);
    if (last === 'succeeded') await write(at, 'r0', [[KEY, 'succeeded']]);
    return readFile(at.file);
  }

  test('a journal truncated in the outcome of an invocation never allows a retry', async () => {
    const bytes = await whole('succeeded');
    const start = bytes.lastIndexOf(0x0a, bytes.length - 2) + 1;
    for (let end = start; end < bytes.length - 1; end += 1) {
      const at = place();
      await writeFile(at.file, bytes.subarray(0, end));
      expect(await stateOf(at)).toBe('unknown');
      // Opening the journal repairs it, so it reads the same again.
      expect(await stateOf(at)).toBe('unknown');
      await rm(at.file);
    }
  });

  test('a journal truncated in an outcome has the request as it was sent, also after it was repaired', async () => {
    const bytes = await whole('succeeded');
    const at = place();
    await writeFile(at.file, bytes.subarray(0, -10));
    const sentLines = bytes.toString().split('\n').slice(0, -2);
    for (const run of ['r1', 'r2']) {
      const journal = await Journal.open(at, run);
      expect(journal.stateOf(KEY)).toEqual({
        kind: 'unknown',
        requests: [{ sentAt: AT, requestId: 'id-1' }],
      });
      await journal.close();
      expect((await readFile(at.file, 'utf8')).split('\n').slice(0, -1)).toEqual(sentLines);
    }
  });

  test('a journal without its last line feed keeps its last line, and the next line is apart from it', async () => {
    const at = place();
    await writeFile(at.file, (await whole('succeeded')).subarray(0, -1));
    expect(await stateOf(at)).toBe('succeeded');
    await write(at, 'r2', [['ef'.repeat(16), 'sent']]);
    expect(await stateOf(at)).toBe('succeeded');
    expect(await stateOf(at, 'ef'.repeat(16))).toBe('unknown');
  });

  test('a journal with the line ends of Windows says the same, and can be written', async () => {
    const at = place();
    await writeFile(at.file, (await whole('succeeded')).toString().replaceAll('\n', '\r\n'));
    const journal = await Journal.open(at, 'r2');
    const state = journal.stateOf(KEY);
    expect(state?.kind === 'succeeded' && (await journal.recall(state)).outcome).toEqual(
      outcome('succeeded'),
    );
    await journal.sent({ key: 'ef'.repeat(16), at: AT });
    await journal.close();
    expect(await stateOf(at, 'ef'.repeat(16))).toBe('unknown');
    expect(await stateOf(at, OTHER)).toBe('succeeded');
  });

  test('a journal truncated after the key of a request does not allow sending it', async () => {
    const bytes = await whole('sent');
    const start = bytes.lastIndexOf(0x0a, bytes.length - 2) + 1;
    for (let end = start + `{"key":"${KEY}"`.length; end < bytes.length; end += 1) {
      const at = place();
      await writeFile(at.file, bytes.subarray(0, end));
      expect(await stateOf(at)).toBe('unknown');
      expect(await stateOf(at)).toBe('unknown');
      await rm(at.file);
    }
  });

  test.each(['sent', 'succeeded'] as const)(
    'a journal with one changed byte is rejected, with its last line %s',
    async (last) => {
      const bytes = await whole(last);
      for (let at = 0; at < bytes.length; at += 1) {
        const damaged = Buffer.from(bytes);
        damaged[at] = (bytes[at] ?? 0) ^ (FLIPS[at % FLIPS.length] ?? 1);
        const target = place();
        await writeFile(target.file, damaged);
        await expect(stateOf(target)).rejects.toThrow(/was not written by this action|was edited or damaged/);
        await rm(target.file);
      }
    },
  );

  test('a journal without one complete line is read as if the line was never written', async () => {
    const bytes = await whole('sent');
    const lines = bytes
      .toString()
      .split('\n')
      .filter((line) => !line.includes(KEY));
    const at = place();
    await writeFile(at.file, lines.join('\n'));
    expect(await stateOf(at)).toBeUndefined();
    expect(await stateOf(at, OTHER)).toBe('succeeded');
  });

  test.each([
    ['another file', '{"name":"package"}\n'],
    ['a text', 'hello\n'],
    ['a file without lines', 'x'.repeat(200_000)],
    ['the lines of an outcomes file', '{"index":0,"outcome":"succeeded"}\n{"index":1}\n'],
  ])('%s is rejected', async (_, text) => {
    const at = place();
    await writeFile(at.file, text);
    await expect(stateOf(at)).rejects.toThrow('was not written by this action');
    expect(await readFile(at.file, 'utf8')).toBe(text);
  });

  test('the journal of another version is rejected by what it is, and kept', async () => {
    const at = place();
    const json = '{"journal":"aws-lambda-invoke/2"}';
    const sum = createHash('sha256').update(json).digest('hex').slice(0, 16);
    const text = `${json.slice(0, -1)},"sum":"${sum}"}\n{"a line":"of that version"}\n`;
    await writeFile(at.file, text);
    await expect(stateOf(at)).rejects.toThrow('was written by another version of this action');
    expect(await readFile(at.file, 'utf8')).toBe(text);
  });

  const onPosix = process.platform === 'win32' ? test.skip : test;
  onPosix('a full disk leaves no line of a request that was not recorded', async () => {
    const at = place();
    const source = new URL('../../../src/journal/journal.ts', import.meta.url).href;
    // Five lines are written at a time, and the limit on the size of a file is met inside of them.
    const script = `
      const { Journal } = await import(${JSON.stringify(source)});
      const journal = await Journal.open(${JSON.stringify(at)}, 'r1');
      const keys = Array.from({ length: 20 }, (_, at) => String(at).padStart(32, '0'));
      const recorded = [];
      const send = (key) => journal.sent({ key, at: new Date(0) }).then(() => recorded.push(key), () => {});
      const pad = 'x'.repeat(2_000);
      const outcome = { outcome: 'succeeded', started_at: '2026-01-02T03:04:05.678Z', pad };
      journal.ended({ key: 'f'.repeat(32), ended: outcome.started_at }, JSON.stringify(outcome));
      for (let at = 0; at < keys.length; at += 5) await Promise.all(keys.slice(at, at + 5).map(send));
      console.log(JSON.stringify({ recorded, failed: keys.filter((key) => !recorded.includes(key)) }));`;
    const args = [
      process.execPath,
      '--disable-warning=ExperimentalWarning',
      '--input-type=module',
      '-e',
      script,
    ];
    const { stdout } = await promisify(execFile)('bash', ['-c', 'ulimit -f 1; exec "$0" "$@"', ...args], {
      timeout: 60_000,
    });
    const { recorded, failed } = JSON.parse(stdout);
    // The outcome is too long for the disk, and keeps none of the shorter lines after it away.
    expect([recorded.length > 0, failed.length > 0]).toEqual([true, true]);
    for (const key of recorded) expect(await stateOf(at, key)).toBe('unknown');
    for (const key of failed) expect(await stateOf(at, key)).toBeUndefined();
  });

  test.each([
    ['sent', { sent: 'yesterday' }],
    ['ended', { ended: AT.toISOString(), outcome: { outcome: 'unknown', started_at: 'yesterday' } }],
  ])('a line without a time is rejected: %s', async (_, fields) => {
    const at = place();
    await write(at, 'r1', [[KEY, 'sent']]);
    const json = JSON.stringify({ key: OTHER, run: 'r1', ...fields });
    const sum = createHash('sha256').update(json).digest('hex').slice(0, 16);
    await appendFile(at.file, `${json.slice(0, -1)},"sum":"${sum}"}\n`);
    await expect(stateOf(at)).rejects.toThrow('was edited or damaged in line 3');
  });

  test('a manually added line is rejected', async () => {
    const at = place();
    await write(at, 'r1', [[KEY, 'sent']]);
    await appendFile(at.file, `{"key":"${KEY}","run":"r1","ended":"x","outcome":{"outcome":"succeeded"}}\n`);
    await expect(stateOf(at)).rejects.toThrow('was edited or damaged in line 3');
  });
});

test('a symlink is rejected by what it is', async () => {
  const at = place();
  await symlink('elsewhere.jsonl', at.file);
  await expect(stateOf(at)).rejects.toThrow('is a symlink. Name the file that it leads to');
});

test('a journal can be open only once at a time', async () => {
  const at = place();
  const journal = await Journal.open(at, 'r1');
  await expect(Journal.open(at, 'r2')).rejects.toThrow('is in use by another step');
  await journal.close();
  await (await Journal.open(at, 'r2')).close();
});

describe('the key of an invocation', () => {
  const keyOf = (change: Partial<typeof INVOCATION> = {}, region = 'eu-west-1'): string =>
    new JournalKeys().next({ ...INVOCATION, ...change }, region);

  test('differs if anything in the request to Lambda differs', () => {
    const keys = [
      keyOf(),
      keyOf({}, 'us-east-1'),
      keyOf({ reference: { name: 'other' } }),
      keyOf({ qualifier: '7' }),
      keyOf({ invocationType: 'Event' }),
      keyOf({ tenantId: 'blue' }),
      keyOf({ clientContext: 'e30=' }),
      keyOf({ payload: Buffer.from('{"other":true}') }),
      keyOf({ durableExecutionName: 'a' }),
      keyOf({ durableExecutionName: 'b' }),
    ];
    expect(new Set(keys).size).toBe(keys.length);
  });

  test('does not depend on where the qualifier is given or on the name of the entry', () => {
    const reference = { name: 'f', qualifier: 'live' };
    expect(keyOf({ reference, name: 'a', index: 3 })).toBe(
      keyOf({ reference: { name: 'f' }, qualifier: 'live' }),
    );
  });

  test('counts equal invocations', () => {
    const keys = new JournalKeys();
    const [first, second] = [keys.next(INVOCATION, 'eu-west-1'), keys.next(INVOCATION, 'eu-west-1')];
    expect(first).not.toBe(second);
    expect(first).toBe(keyOf());
  });
});
