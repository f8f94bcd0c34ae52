import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import {
  type Fault,
  LOGS_THROTTLE,
  type LocalLambda,
  startLocalLambda,
} from '../../packages/local-lambda/server.ts';
import { startLocalProxy } from '../../packages/local-proxy/server.ts';
import { Clients } from '../../src/lambda/client.ts';
import type { Timing } from '../../src/lambda/timing.ts';
import { REAL_TIMING } from '../../src/lambda/timing.ts';
import { LogsClients } from '../../src/logs/client.ts';
import type { LogSource } from '../../src/logs/find.ts';
import { type FollowedLog, followLog, ResponseArrival } from '../../src/logs/follow.ts';
import { lookForRuns } from '../../src/logs/witness.ts';
import { heavyTest } from '../heavy.ts';
import { SEED } from '../seed.ts';
import { useLambda } from './invoke-context.ts';

const GROUP = '/aws/lambda/migrate';
const STREAM = '2026/01/02[$LATEST]0123456789abcdef0123456789abcdef';
const ID = '11111111-2222-4333-8444-555555555555';
const EARLIER = '00000000-2222-4333-8444-555555555555';
const LATER = '99999999-2222-4333-8444-555555555555';
const BEGIN = Date.UTC(2026, 0, 2, 3, 4, 5);
const SOURCE: LogSource = {
  functionName: 'migrate',
  region: 'us-east-1',
  logGroup: GROUP,
  lacksPlatformLines: false,
  sharesStreams: false,
};

/** The stream of the request, in response to FilterLogEvents. */
const FOUND: Fault = {
  ...{ kind: 'raw', when: 'before', status: 200, headers: {} },
  body: JSON.stringify({
    events: [{ logStreamName: STREAM, timestamp: BEGIN, message: `START RequestId: ${ID} Version: 1\n` }],
  }),
};

let lambda: LocalLambda;
let restore: () => void;
let clients: Clients;
let clock = BEGIN;

beforeAll(async () => {
  lambda = await startLocalLambda({ functions: {}, now: () => clock });
  restore = useLambda(lambda.url);
  process.env['AWS_ENDPOINT_URL_CLOUDWATCH_LOGS'] = lambda.url;
  clients = new Clients({});
});
beforeEach(() => {
  lambda.reset();
  clock = BEGIN;
});
afterAll(async () => {
  clients.close();
  restore();
  await lambda.close();
});

type Written = Readonly<{ at: number; message: string; delayMs?: number; logStream?: string }>;

/** Writes events as functions would, each at its own time, to arrive so many milliseconds later. */
function write(events: readonly Written[], logGroup = GROUP): void {
  for (const { at, message, delayMs = 0, logStream = STREAM } of events) {
    clock = BEGIN + at;
    lambda.logs.setDelivery(() => ({ delayMs }));
    lambda.logs.write({ logGroup, logStream, message });
  }
  lambda.logs.setDelivery(undefined);
  clock = BEGIN;
}

const start = (at: number, id = ID): Written => ({
  at,
  message: `START RequestId: ${id} Version: $LATEST\n`,
});
const report = (at: number, id = ID, more = ''): Written => ({
  at,
  message: `REPORT RequestId: ${id}\tDuration: ${at}.25 ms\tBilled Duration: ${at} ms\t${more}\n`,
});

/** A clock on which sleeping takes no time. Sleeping past an event's time triggers the event. */
function virtualTiming(moments: readonly Readonly<{ at: number; happens: () => void }>[] = []) {
  const left = moments.toSorted((one, other) => one.at - other.at);
  const slept: number[] = [];
  const timing: Timing = {
    now: () => clock,
    random: () => 0,
    sleep: async (ms, signal) => {
      if (signal.aborted) return;
      slept.push(ms);
      clock += ms;
      while (left[0] !== undefined && BEGIN + left[0].at <= clock) left.shift()?.happens();
    },
    after: (ms, callback) => {
      const moment = { at: clock - BEGIN + ms, happens: callback };
      left.push(moment);
      left.sort((one, other) => one.at - other.at);
      return () => {
        if (left.includes(moment)) left.splice(left.indexOf(moment), 1);
      };
    },
  };
  return { timing, slept };
}

type Followed = FollowedLog &
  Readonly<{
    lines: readonly string[];
    /** The time when each line was shown. */
    times: readonly number[];
    slept: readonly number[];
    endedAt: number;
  }>;

/** Follows the log of the request; the function responds at `respondedAt`. */
async function follow(
  given: Readonly<{ respondedAt?: number; cancelledAt?: number; source?: LogSource; apartMs?: number }> = {},
): Promise<Followed> {
  const { respondedAt = 0, cancelledAt, source = SOURCE, apartMs = 0 } = given;
  const arrival = new ResponseArrival();
  const cancel = new AbortController();
  const { timing, slept } = virtualTiming([
    { at: respondedAt, happens: () => arrival.record(clock) },
    ...(cancelledAt === undefined ? [] : [{ at: cancelledAt, happens: () => cancel.abort() }]),
  ]);
  if (respondedAt === 0) arrival.record(clock);
  const requests = { timing, cancel: cancel.signal, apartMs };
  const logs = new LogsClients((region) => clients.settingsFor(region), requests);
  const heard: { text: string; time: number }[] = [];
  const followed = await followLog(
    { requestId: ID, since: BEGIN - 60_000 },
    {
      api: logs.of('us-east-1'),
      source,
      timing,
      cancel: cancel.signal,
      arrival,
      onEvents: (events) => {
        for (const { message } of events) heard.push({ text: message.trimEnd(), time: clock - BEGIN });
      },
    },
  );
  const lines = heard.map(({ text }) => text);
  return { ...followed, lines, times: heard.map(({ time }) => time), slept, endedAt: clock - BEGIN };
}

const texts = (events: readonly Written[]): string[] => events.map(({ message }) => message.trimEnd());
const operations = (): (string | undefined)[] => lambda.requests.map(({ operation }) => operation);

describe('a log that is followed', () => {
  test('is read from START to REPORT, without what other requests wrote before and after', async () => {
    const own = [start(10), { at: 20, message: 'one\n' }, { at: 30, message: 'two\n' }, report(40)];
    write([start(0, EARLIER), { at: 1, message: 'before\n' }, report(10, EARLIER), ...own]);
    write([start(41, LATER), { at: 42, message: 'after\n' }, report(50, LATER)]);
    const followed = await follow();
    expect(followed.lines).toEqual(texts(own));
    expect(followed).toMatchObject({ kind: 'whole', isShared: false, report: { durationMs: 40.25 } });
  });

  test('is shown while the function runs, each line within 5 s if it takes 2 s to arrive', async () => {
    const lines = Array.from({ length: 20 }, (_, at) => ({ at: at * 1_000, message: `line ${at}\n` }));
    const all = [start(0), ...lines, report(20_000)].map((event) => ({ ...event, delayMs: 2_000 }));
    write(all);
    const followed = await follow({ respondedAt: 20_000 });
    expect(followed).toMatchObject({ kind: 'whole', lines: texts(all) });
    for (const [index, { at }] of all.entries()) {
      expect((followed.times[index] ?? 0) - at).toBeLessThanOrEqual(5_000);
    }
    expect(followed.endedAt).toBeLessThanOrEqual(27_000);
  });

  test('in a group that does not exist yet is awaited', async () => {
    write([
      { ...start(0), delayMs: 9_000 },
      { ...report(1), delayMs: 9_000 },
    ]);
    const followed = await follow();
    expect(followed).toMatchObject({ kind: 'whole', lines: texts([start(0), report(1)]) });
  });

  test('is awaited for at most 30 s after the response', async () => {
    write([start(0), { at: 1, message: 'one\n' }, { ...report(2), delayMs: 120_000 }]);
    const followed = await follow({ respondedAt: 5_000 });
    expect(followed).toMatchObject({ kind: 'part', lines: texts([start(0), { at: 1, message: 'one' }]) });
    expect(followed.endedAt).toBeGreaterThanOrEqual(34_000);
    expect(followed.endedAt).toBeLessThanOrEqual(36_000);
  });

  test('of which every look fails to the end says why', async () => {
    lambda.setFault(({ operation }) => (operation === 'FilterLogEvents' ? LOGS_THROTTLE : undefined));
    expect(await follow()).toMatchObject({ kind: 'unreadable', failure: { name: 'ThrottlingException' } });
  });

  test('after a hundred empty pages of a busy function is found', async () => {
    const own = [start(0), { at: 1, message: 'one\n' }, report(2)];
    write(own);
    lambda.logs.setPaging({ emptyPages: 100 });
    expect(await follow()).toMatchObject({ kind: 'whole', lines: texts(own) });
  });

  test('in pages without an end ends as well, 35 s after the response', async () => {
    write([start(0), { at: 1, message: 'one\n' }, report(2)]);
    lambda.logs.setPaging({ emptyPages: 1_000_000_000 });
    lambda.setFault(({ operation }) => (operation === 'FilterLogEvents' ? FOUND : undefined));
    const followed = await follow({ respondedAt: 1_000, apartMs: 200 });
    expect(followed).toMatchObject({ kind: 'unreadable', lines: [], failure: { name: 'DeadlineExceeded' } });
    expect(followed.endedAt).toBeGreaterThanOrEqual(30_000);
    expect(followed.endedAt).toBeLessThanOrEqual(36_500);
  });

  test('without lines of the request ends empty', async () => {
    expect(await follow()).toMatchObject({ kind: 'none', lines: [] });
  });

  test('without START and REPORT has the lines with the ID, and ends when no more lines arrive', async () => {
    const own = { at: 1, message: `{"level":"INFO","requestId":"${ID}","message":"one"}` };
    write([own, { at: 2, message: '{"level":"INFO","requestId":"other"}' }]);
    const followed = await follow({ source: { ...SOURCE, lacksPlatformLines: true } });
    expect(followed).toMatchObject({ kind: 'whole', lines: [own.message] });
    expect(followed.endedAt).toBeLessThan(10_000);
  });

  test('whose START was filtered out, which nothing says, has the lines with the ID at the end', async () => {
    const own = { at: 1, message: `{"level":"INFO","requestId":"${ID}","message":"one"}` };
    write([own, { at: 2, message: 'a line of nobody\n' }]);
    const followed = await follow();
    expect(followed).toMatchObject({ kind: 'part', lines: [own.message] });
  });

  test('in a shared stream has only lines with the ID after the first other request', async () => {
    const withId = { at: 13, message: `${ID} two\n` };
    write([start(10), { at: 11, message: 'one\n' }, start(12, LATER), withId]);
    write([{ at: 14, message: 'of another\n' }, report(15), report(16, LATER)]);
    const followed = await follow();
    expect(followed).toMatchObject({
      isShared: true,
      lines: texts([start(10), { at: 11, message: 'one' }, withId, report(15)]),
    });
  });

  test('in a shared group is that of the function, even if another function logs the ID', async () => {
    const group = '/shared/by-all';
    const other = { at: 1, message: `calling as ${ID}\n`, logStream: '2026/01/02/caller[$LATEST][ab]' };
    const own = [start(5), { at: 6, message: 'one\n' }, report(7)].map((event) => ({
      ...event,
      logStream: '2026/01/02/migrate[$LATEST][cd]',
    }));
    write([other, ...own], group);
    const followed = await follow({ source: { ...SOURCE, logGroup: group } });
    expect(followed.lines).toEqual(texts(own));
  });

  test('with a line that looks like its REPORT continues to the real one', async () => {
    const all = [start(0), { at: 1, message: report(1).message }, { at: 2, message: 'two\n' }, report(300)];
    write(all);
    const followed = await follow();
    expect(followed.lines).toEqual(texts(all));
    expect(followed.report?.durationMs).toBe(300.25);
  });

  test('has the available lines when canceled, and sends no more requests', async () => {
    write([start(0), { at: 1, message: 'one\n' }, { at: 9_000, message: 'two\n' }, report(9_001)]);
    const followed = await follow({ respondedAt: 60_000, cancelledAt: 4_000 });
    expect(followed).toMatchObject({ kind: 'cancelled' });
    expect(followed.lines).toEqual(texts([start(0), { at: 1, message: 'one' }]));
    expect(followed.endedAt).toBe(4_000);
  });
});

describe('CloudWatch rejects requests', () => {
  const failing = (fault: (n: number) => Fault | undefined): void => lambda.setFault((_, n) => fault(n));

  test('for a while: throttling doubles the wait, and every line is shown in the end', async () => {
    write([start(0), { at: 1, message: 'one\n' }, report(2)]);
    failing((n) => (n < 3 ? LOGS_THROTTLE : undefined));
    const followed = await follow({ respondedAt: 1_000 });
    expect(followed.slept.slice(0, 3)).toEqual([4_000, 8_000, 16_000]);
    expect(followed).toMatchObject({
      kind: 'whole',
      lines: texts([start(0), { at: 1, message: 'one' }, report(2)]),
    });
  });

  test('permanently, without a server: reading ends after three attempts', async () => {
    const saved = process.env['AWS_ENDPOINT_URL_CLOUDWATCH_LOGS'];
    process.env['AWS_ENDPOINT_URL_CLOUDWATCH_LOGS'] = 'http://127.0.0.1:9';
    try {
      const followed = await follow({ respondedAt: 600_000 });
      expect(followed).toMatchObject({ kind: 'unreadable', failure: { refusal: 'unreachable' } });
      expect(followed.slept).toHaveLength(2);
    } finally {
      process.env['AWS_ENDPOINT_URL_CLOUDWATCH_LOGS'] = saved;
    }
  });
});

test('requests for a list are one second apart', async () => {
  write([start(0), report(2)]);
  const followed = await follow({ apartMs: 1_000 });
  expect(followed.kind).toBe('whole');
  expect(operations().length).toBeGreaterThan(3);
  expect(followed.slept.filter((ms) => ms === 1_000)).toHaveLength(
    operations().length - 1 - followed.slept.filter((ms) => ms === 2_000).length,
  );
});

test('requests have the proxy, the credentials and the user agent of those to Lambda', async () => {
  const proxy = await startLocalProxy();
  const proxied = new Clients({ HTTP_PROXY: `http://127.0.0.1:${proxy.port}` }, { runId: '42' });
  write([start(0), report(2)]);
  const logs = new LogsClients((region) => proxied.settingsFor(region), {
    ...{ timing: REAL_TIMING, cancel: new AbortController().signal, apartMs: 0 },
  });
  const found = await logs
    .of('us-east-1')
    .search({ logGroup: GROUP, startTime: BEGIN, stop: new AbortController().signal }, { text: ID });
  proxied.close();
  await proxy.close();
  expect(found).toMatchObject({ kind: 'page', events: [{ stream: STREAM }] });
  expect(proxy.requests.map(({ target }) => target)).toEqual([`${lambda.url}/`]);
  const { headers = {} } = lambda.requests[0] ?? {};
  expect(headers['user-agent']).toMatch(/aws-lambda-invoke\/\S+ .*run\/42/);
  expect(headers['authorization']).toContain('Credential=AKIAIOSFODNN7EXAMPLE/');
}, 30_000);

describe('the outcome of requests', () => {
  const look = async (requestIds: readonly string[], { longestMs = 15_000, apartMs = 0 } = {}) => {
    const { timing } = virtualTiming();
    const cancel = new AbortController().signal;
    const logs = new LogsClients((region) => clients.settingsFor(region), { timing, cancel, apartMs });
    const api = logs.of('us-east-1');
    const found = await lookForRuns(
      { logGroup: GROUP, requestIds, from: BEGIN - 60_000 },
      { api, timing, cancel, longestMs },
    );
    return found;
  };

  test('is in the log: started, and ended with a duration and a status', async () => {
    write([start(0), report(312, ID, 'Status: timeout'), start(400, LATER), start(500, EARLIER)]);
    write([{ ...report(600, EARLIER), delayMs: 8_000 }]);
    expect(await look([ID, LATER, EARLIER])).toEqual({
      runs: [
        { requestId: ID, hasStarted: true, report: { durationMs: 312.25, status: 'timeout' } },
        { requestId: LATER, hasStarted: true },
        { requestId: EARLIER, hasStarted: true, report: { durationMs: 600.25 } },
      ],
    });
    expect(clock - BEGIN).toBeLessThanOrEqual(15_000);
  });

  test('is not in the log, which is read until the timeout', async () => {
    expect(await look([ID])).toMatchObject({ runs: [{ requestId: ID, hasStarted: false }] });
    expect(clock - BEGIN).toBe(15_000);
  });

  test('is behind a hundred empty pages of a busy function', async () => {
    write([start(0), report(1)]);
    lambda.logs.setPaging({ emptyPages: 100 });
    expect(await look([ID])).toMatchObject({ runs: [{ hasStarted: true, report: { durationMs: 1.25 } }] });
  });

  test('is not in pages without an end, which are read until the timeout', async () => {
    write([start(0), report(1)]);
    lambda.logs.setPaging({ emptyPages: 1_000_000_000 });
    const found = await look([ID, LATER], { apartMs: 1_000 });
    expect(found).toMatchObject({ runs: [{ hasStarted: false }, { hasStarted: false }] });
    expect(clock - BEGIN).toBeLessThanOrEqual(16_000);
  });

  test('is looked for until the timeout although the credentials do not arrive', async () => {
    const cancel = new AbortController().signal;
    const credentials = () => new Promise<never>(() => {});
    const logs = new LogsClients((region) => ({ ...clients.settingsFor(region), credentials }), {
      ...{ timing: REAL_TIMING, cancel, apartMs: 0 },
    });
    const found = await lookForRuns(
      { logGroup: GROUP, requestIds: [ID], from: BEGIN },
      { api: logs.of('us-east-1'), timing: REAL_TIMING, cancel, longestMs: 200 },
    );
    expect(found).toMatchObject({ runs: [{ hasStarted: false }], failure: { name: 'DeadlineExceeded' } });
  });
});

describe('for any order of arrival', () => {
  const line = fc.record({
    gap: fc.integer({ min: 0, max: 1_500 }),
    delayMs: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 20_000 })),
    text: fc.constantFrom('same', 'other', '', 'START', 'RequestId: x'),
  });
  const countsOf = (lines: readonly string[]): Map<string, number> =>
    new Map([...Map.groupBy(lines, (text) => text)].map(([text, equal]) => [text, equal.length]));
  const requestLines = fc.array(line, { maxLength: 12 });
  const delay = fc.integer({ min: 0, max: 20_000 });
  const scenario = fc.record({
    lines: requestLines,
    others: fc.tuple(requestLines, requestLines),
    edges: fc.array(delay, { minLength: 5, maxLength: 5 }),
    paging: fc.record({
      events: fc.integer({ min: 2, max: 12 }),
      emptyPages: fc.integer({ min: 0, max: 1 }),
      searched: fc.integer({ min: 3, max: 12 }),
    }),
    respondedAfter: fc.integer({ min: 0, max: 3_000 }),
    throttled: fc.array(fc.integer({ min: 0, max: 30 }), { maxLength: 2 }),
  });

  heavyTest(
    'the lines given out are the lines between START and REPORT, each once',
    async () => {
      let [wholes, complete, late] = [0, 0, 0];
      const all = fc.asyncProperty(
        scenario,
        async ({ lines, others, edges, paging, respondedAfter, throttled }) => {
          lambda.reset();
          let at = 0;
          const requestOf = (
            id: string,
            own: typeof lines,
            [begin = 0, end = 0]: readonly number[],
          ): Written[] => {
            at += 1;
            const first = { ...start(at, id), delayMs: begin };
            const between = own.map(({ gap, delayMs, text }) => {
              at += gap;
              return { at, message: `${text}${id === ID ? '' : ' of another'}\n`, delayMs };
            });
            const last = { ...report(at, id), delayMs: end };
            return [first, ...between, last];
          };
          const before = requestOf(EARLIER, others[0], edges.slice(0, 2));
          const own = requestOf(ID, lines, edges.slice(2, 4));
          const respondedAt = at + respondedAfter;
          // If a line arrives before its own START and before the REPORT of the last request, its request is not known.
          const after = requestOf(LATER, others[1], [0, edges[4] ?? 0]);
          write([...before, ...own, ...after]);
          lambda.logs.setPaging(paging);
          lambda.setFault((_, n) => (throttled.includes(n) ? LOGS_THROTTLE : undefined));
          const followed = await follow({ respondedAt: Math.max(1, respondedAt) });
          const isWhole = followed.kind === 'whole';
          wholes += Number(isWhole);
          if (!isWhole) expect(followed.endedAt - respondedAt).toBeGreaterThanOrEqual(30_000);
          // After a complete log was read once more, the test does not wait for further events.
          const arrived = own.filter((event) => event.at + (event.delayMs ?? 0) <= followed.endedAt - 2_500);
          const given = countsOf(followed.lines);
          const stored = countsOf(texts(own));
          for (const [text, count] of given) expect(count).toBeLessThanOrEqual(stored.get(text) ?? 0);
          if (!isWhole) return;
          for (const [text, count] of countsOf(texts(arrived))) {
            expect(given.get(text) ?? 0).toBeGreaterThanOrEqual(count);
          }
          late += Number(followed.lines.join() !== texts(own).join());
          complete += Number(arrived.length === own.length);
        },
      );
      await fc.assert(all, { seed: SEED, numRuns: 60 });
      expect(wholes).toBeGreaterThan(45);
      expect(complete).toBeGreaterThan(20);
      expect(late).toBeGreaterThan(20);
    },
    120_000,
  );
});
