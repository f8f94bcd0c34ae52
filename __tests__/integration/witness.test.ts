import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { type Fault, type LocalLambda, startLocalLambda } from '../../packages/local-lambda/server.ts';
import { RequestIds } from '../../src/lambda/attempts.ts';
import { Clients } from '../../src/lambda/client.ts';
import { followExecution } from '../../src/lambda/durable.ts';
import { type InvokeContext, type InvokePolicy, invokeEach } from '../../src/lambda/invoker.ts';
import { AdaptiveLimiter } from '../../src/lambda/limiter.ts';
import { REAL_TIMING, type Timing } from '../../src/lambda/timing.ts';
import { LogsClients } from '../../src/logs/client.ts';
import { type DeniedLog, LostInvocations } from '../../src/logs/lost.ts';
import { evaluate } from '../../src/outcome/evaluate.ts';
import { adviceFor } from '../../src/outcome/failure-advice.ts';
import { type Delivered, ECHO, freshIds, INVOCATION, invokeOn, POLICY, useLambda } from './invoke-context.ts';

// What the function's log shows about an invocation whose response is lost. The log and this action share one clock,
// on which waiting takes no time.

const GROUP = '/aws/lambda/echo';
const STREAM = '2026/01/02[$LATEST]0123456789abcdef0123456789abcdef';
const IDS = ['11111111-2222-4333-8444-555555555555', '22222222-2222-4333-8444-555555555555'] as const;
const BEFORE: Fault = { kind: 'reset', when: 'before' };
const AFTER: Fault = { kind: 'reset', when: 'after' };
const TAKEN: Fault = { kind: 'raw', when: 'before', status: 200, headers: {}, body: '{}' };
const GONE: Fault = {
  kind: 'error',
  when: 'before',
  status: 404,
  type: 'ResourceNotFoundException',
  message: 'No.',
};

let lambda: LocalLambda;
let restore: () => void;
let clock = Date.now();
let isDenied = false;

beforeAll(async () => {
  lambda = await startLocalLambda({
    functions: {
      echo: { handler: ECHO },
      json: { handler: ECHO, logFormat: 'JSON' },
      elsewhere: { handler: ECHO, logGroup: '/app/logs' },
    },
    now: () => clock,
    deny: ({ headers }) =>
      isDenied && headers['x-amz-target'] !== undefined ? { kind: 'no-identity-policy' } : undefined,
  });
  restore = useLambda(lambda.url);
  process.env['AWS_ENDPOINT_URL_CLOUDWATCH_LOGS'] = lambda.url;
});
beforeEach(() => {
  clock = Date.now();
  isDenied = false;
});
afterEach(() => lambda.reset());
afterAll(async () => {
  restore();
  await lambda.close();
});

const timing = (): Timing => ({
  ...REAL_TIMING,
  now: () => clock,
  random: () => 0,
  sleep: async (ms) => {
    clock += ms;
  },
});

const isOfLogs = ({ headers }: { headers: Readonly<Record<string, string>> }): boolean =>
  headers['x-amz-target'] !== undefined;
const isInvocation = ({ operation }: { operation: string | undefined }): boolean => operation === 'Invoke';
const looks = (): string[] =>
  lambda.requests.filter(isOfLogs).map(({ body }) => JSON.parse(String(body)).filterPattern);

/** Faults for the first invocations. */
const faults = (...wanted: readonly Fault[]): void => {
  let n = 0;
  lambda.setFault((request) => {
    if (!isInvocation(request)) return undefined;
    n += 1;
    return wanted[n - 1];
  });
};

type Options = Readonly<{
  policy?: Partial<InvokePolicy>;
  functionName?: string;
  type?: 'RequestResponse' | 'DryRun' | 'Event';
  ids?: readonly string[];
  cancel?: AbortController;
  follow?: NonNullable<InvokeContext['follow']>;
}>;

function witnessOf(clients: Clients, cancel: AbortSignal, apartMs = 0) {
  const denied: DeniedLog[] = [];
  const time = timing();
  const requests = { timing: time, cancel, apartMs };
  const logs = new LogsClients((region) => clients.settingsFor(region), requests);
  const lost = new LostInvocations({
    ...{ clients, logs, timing: time, cancel },
    onDenied: (one) => denied.push(one),
  });
  return { witness: lost.look.bind(lost), denied };
}

type Lost = Delivered & Readonly<{ denied: readonly DeniedLog[]; witnessed: number }>;

async function lose(options: Options = {}): Promise<Lost> {
  const { functionName = 'echo', type = 'RequestResponse', ids, cancel = new AbortController() } = options;
  const clients = new Clients({});
  const left = [...(ids ?? [])];
  const { witness, denied } = witnessOf(clients, cancel.signal);
  let witnessed = 0;
  const delivered = await invokeOn(lambda, {
    clients,
    timing: timing(),
    cancel: cancel.signal,
    policy: { ...options.policy },
    invocation: { functionName, reference: { name: functionName }, invocationType: type },
    ...(ids && { requestIds: new RequestIds(() => left.shift() ?? 'none left') }),
    extras: {
      witness: (ended) => {
        witnessed += 1;
        return witness(ended);
      },
      ...(options.follow && { follow: options.follow }),
    },
  });
  clients.close();
  return { ...delivered, denied, witnessed };
}

const outcomeOf = (delivered: Delivered) =>
  evaluate(delivered, {
    failOnFunctionError: true,
    expressions: { expect: [], mask: [] },
    advise: adviceFor({ eventName: 'push', hasOidc: false }),
  }).outcome;

const write = (message: string, logGroup = GROUP): void =>
  lambda.logs.write({ logGroup, logStream: STREAM, message: `${message}\n` });
const start = (id: string): void => write(`START RequestId: ${id} Version: $LATEST`);
const report = (id: string, ms: number, status = ''): void =>
  write(`REPORT RequestId: ${id}\tDuration: ${ms}.00 ms\tBilled Duration: ${ms} ms\t${status}`);

describe('an invocation whose response is lost', () => {
  test('ran to its end, where its log shows that', async () => {
    faults(AFTER);
    const delivered = await lose();
    const outcome = outcomeOf(delivered);
    expect(lambda.executions()).toHaveLength(1);
    expect(outcome).toMatchObject({
      outcome: 'unknown',
      ran: 'finished',
      duration_ms: expect.any(Number),
      request_id: delivered.sent[0]?.sentAs,
      error: {
        message: expect.stringMatching(
          /^The function ran to its end in \d+(?:\.\d+)? m?s\. Its response was lost\. The connection was reset after the request was sent\. The request was sent at \S+Z with request ID \S+\.$/,
        ),
        advice: expect.not.stringContaining('If that page is empty'),
      },
    });
  });

  test.each([
    [
      'a second of 312',
      (id: string) => report(id, 312_000),
      'The function ran to its end in 312 s. Its response was lost. ',
    ],
    [
      'a time limit',
      (id: string) => report(id, 3_000, 'Status: timeout'),
      'The function timed out after 3 s. Its response was lost. ',
    ],
    [
      'a crash',
      (id: string) => report(id, 1_500, 'Status: error\tError Type: Runtime.ExitError'),
      'The function failed after 1.5 s (Runtime.ExitError). Its response was lost. ',
    ],
  ])('says so by its report: %s', async (_, ending, text) => {
    faults(BEFORE);
    start(IDS[0]);
    ending(IDS[0]);
    const outcome = outcomeOf(await lose({ ids: IDS }));
    expect(outcome).toMatchObject({ outcome: 'unknown', ran: 'finished' });
    expect(outcome).toHaveProperty(
      'error.message',
      expect.stringMatching(`^${text.replace(/[().]/g, '\\$&')}`),
    );
  });

  test('has started, where its log does not show its end within 15 s', async () => {
    faults(BEFORE);
    start(IDS[0]);
    const before = clock;
    const outcome = outcomeOf(await lose({ ids: IDS }));
    expect(outcome).toMatchObject({
      outcome: 'unknown',
      ran: 'started',
      error: {
        message: expect.stringMatching(/^The function started, and its log does not show how it ended\. /),
      },
    });
    expect(clock - before).toBe(15_000);
  });

  test('is waited for while its log arrives late', async () => {
    lambda.logs.setDelivery(() => ({ delayMs: 9_000 }));
    faults(AFTER);
    expect(outcomeOf(await lose())).toMatchObject({ outcome: 'unknown', ran: 'finished' });
  });

  test('may have run if its log shows nothing: it is never not_invoked and never retried', async () => {
    faults(BEFORE);
    const outcome = outcomeOf(await lose());
    expect(outcome).toMatchObject({
      outcome: 'unknown',
      ran: 'may_have_run',
      error: {
        message: expect.stringMatching(
          / It is not known whether the function ran: its log does not show it yet\.$/,
        ),
      },
    });
    expect(lambda.requests.filter(isInvocation)).toHaveLength(1);
    expect(lambda.executions()).toEqual([]);
  });

  test('ran twice, where its log shows both attempts', async () => {
    faults(AFTER, AFTER, GONE);
    lambda.logs.setDelivery((_, n) => (n > 2 ? { delayMs: 9_000 } : undefined));
    const delivered = await lose({ policy: { retry: 'idempotent' } });
    const [first, second] = delivered.sent.map(({ sentAs }) => sentAs);
    expect(lambda.executions()).toHaveLength(2);
    expect(outcomeOf(delivered)).toHaveProperty(
      'error.message',
      expect.stringMatching(
        `^The function ran twice: ${first} ran to its end in \\S+ m?s; ${second} ran to its end in \\S+ m?s\\. Its response was lost\\. `,
      ),
    );
  });

  test("is found under Lambda's ID, where that is another", async () => {
    lambda.setRequestIds(() => 'ignore');
    faults({ kind: 'error', when: 'after', status: 500, type: 'ServiceException', message: 'Lost.' });
    const delivered = await lose();
    expect(outcomeOf(delivered)).toMatchObject({ ran: 'finished', request_id: delivered.sent[0]?.requestId });
    expect(delivered.sent[0]?.requestId).not.toBe(delivered.sent[0]?.sentAs);
  });

  test("is found under the ID that was sent, where a proxy's page has another", async () => {
    faults({
      ...{ kind: 'raw', when: 'after', status: 502, body: 'Bad Gateway' },
      headers: { 'x-amzn-requestid': IDS[1] },
    });
    const outcome = outcomeOf(await lose({ ids: IDS }));
    expect(outcome).toMatchObject({ ran: 'finished', request_id: IDS[0] });
    expect(outcome.log_url).toContain(IDS[0]);
  });

  test('is told by the ID that was sent, where another invocation has the ID in the response', async () => {
    faults({
      ...{ kind: 'raw', when: 'before', status: 502, body: 'Bad Gateway' },
      headers: { 'x-amzn-requestid': IDS[1] },
    });
    start(IDS[0]);
    start(IDS[1]);
    report(IDS[1], 1_000);
    expect(outcomeOf(await lose({ ids: IDS }))).toMatchObject({ ran: 'started', request_id: IDS[0] });
  });

  test('is not looked for under the IDs of attempts that were refused', async () => {
    faults({ ...GONE, status: 429, type: 'TooManyRequestsException' }, AFTER);
    const delivered = await lose({ ids: IDS });
    expect(outcomeOf(delivered)).toMatchObject({ ran: 'finished', attempts: 2 });
    expect(looks()).toEqual([`"${IDS[1]}"`]);
  });

  test('is found in a log in JSON, with its status', async () => {
    faults(BEFORE);
    const record = {
      requestId: IDS[0],
      status: 'error',
      errorType: 'TypeError',
      metrics: { durationMs: 20_000 },
    };
    write(
      JSON.stringify({ time: '2026-01-02T03:04:05.678Z', type: 'platform.report', record }),
      '/aws/lambda/json',
    );
    const outcome = outcomeOf(await lose({ ids: IDS, functionName: 'json' }));
    expect(outcome).toMatchObject({ ran: 'finished', duration_ms: 20_000 });
    expect(outcome).toHaveProperty(
      'error.message',
      expect.stringMatching(/^The function failed after 20 s \(TypeError\)\. /),
    );
  });

  test('is looked for in the log group of its configuration, which its link names', async () => {
    faults(AFTER);
    const outcome = outcomeOf(await lose({ functionName: 'elsewhere' }));
    expect(outcome).toMatchObject({
      ran: 'finished',
      log_url: expect.stringContaining('$252Fapp$252Flogs/'),
    });
  });

  test('that was interrupted has run, whatever its log shows', async () => {
    faults({ kind: 'error', when: 'before', status: 410, type: 'EFSIOException', message: 'Lost.' });
    expect(outcomeOf(await lose())).toMatchObject({ outcome: 'unknown', ran: 'started' });
  });

  test('is told of as before, where its log is not allowed to be read', async () => {
    isDenied = true;
    faults(AFTER);
    const delivered = await lose();
    expect(outcomeOf(delivered)).toMatchObject({
      outcome: 'unknown',
      ran: 'may_have_run',
      error: {
        message: expect.stringMatching(
          /whether the function ran: its log could not be read \(AccessDeniedException\)\.$/,
        ),
      },
    });
    expect(delivered.denied).toHaveLength(1);
    expect(looks()).toHaveLength(1);
  });
});

describe('no log is looked into', () => {
  test.each<[string, Fault | undefined, Options]>([
    ['after a response', undefined, {}],
    ['where it is known that nothing ran', GONE, {}],
    ['of a dry run that was taken for an invocation', TAKEN, { type: 'DryRun' }],
  ])('%s', async (_, fault, options) => {
    if (fault !== undefined) faults(fault);
    expect((await lose(options)).witnessed).toBe(0);
    expect(lambda.requests.filter((request) => !isInvocation(request))).toEqual([]);
  });

  test('of a durable execution, whose requests are its own', async () => {
    const arn = 'arn:aws:lambda:us-east-1:123456789012:function:echo:1/durable-execution/a/b';
    const headers = { 'x-amz-durable-execution-arn': arn, 'content-length': '0' };
    faults({ kind: 'raw', when: 'before', status: 202, headers, body: '' });
    const ignore = () => {};
    const follow = {
      execution: followExecution,
      ...{
        onNotDurable: ignore,
        onExecutionEvent: ignore,
        onHiddenHistory: ignore,
        onFailedPoll: ignore,
      },
    };
    const delivered = await lose({ type: 'Event', follow });
    expect(outcomeOf(delivered)).toMatchObject({ outcome: 'unknown', durable_execution_arn: arn });
    expect(delivered.witnessed).toBe(0);
  });

  test('after the workflow was cancelled', async () => {
    const cancel = new AbortController();
    lambda.setFault((request) => {
      if (isInvocation(request)) cancel.abort();
      return AFTER;
    });
    const delivered = await lose({ cancel });
    const outcome = outcomeOf(delivered);
    expect(delivered.witnessed).toBe(0);
    expect(outcome).toMatchObject({ outcome: 'unknown', ran: 'may_have_run', error: { name: 'Cancelled' } });
    expect(lambda.requests.filter((request) => !isInvocation(request))).toEqual([]);
  });
});

describe('a list', () => {
  const loseMany = async (count: number) => {
    const clients = new Clients({});
    const cancel = new AbortController().signal;
    const { witness, denied } = witnessOf(clients, cancel, 1_000);
    const outcomes: ReturnType<typeof outcomeOf>[] = [];
    const context = {
      ...{ clients, cancel, witness, policy: POLICY, timing: timing() },
      limiter: new AdaptiveLimiter(5),
      requestIds: freshIds(),
      onWait: () => {},
    };
    const list = Array.from({ length: count }, (_, index) => ({ ...INVOCATION, index }));
    await invokeEach(list, context, async (ended) => {
      outcomes.push(outcomeOf({ ...ended, waits: [] }));
    });
    clients.close();
    return { outcomes, denied };
  };

  test('has 20 looks at most, one request a second, and one question for the configuration', async () => {
    faults(...Array<Fault>(25).fill(AFTER));
    const before = clock;
    const { outcomes } = await loseMany(25);
    expect(outcomes.filter((outcome) => 'ran' in outcome && outcome.ran === 'finished')).toHaveLength(20);
    expect(outcomes.filter((outcome) => 'ran' in outcome && outcome.ran === 'may_have_run')).toHaveLength(5);
    expect(new Set(looks()).size).toBe(20);
    expect(clock - before).toBeGreaterThanOrEqual((looks().length - 1) * 1_000);
    expect(lambda.requests.filter(({ operation }) => operation === 'GetFunctionConfiguration')).toHaveLength(
      1,
    );
    for (const outcome of outcomes) expect(outcome).toHaveProperty('log_url');
  });

  test('is told once that its log is not allowed to be read', async () => {
    isDenied = true;
    faults(...Array<Fault>(6).fill(AFTER));
    const { outcomes, denied } = await loseMany(6);
    expect(outcomes.map(({ outcome }) => outcome)).toEqual(Array(6).fill('unknown'));
    expect(denied).toHaveLength(1);
  });
});
