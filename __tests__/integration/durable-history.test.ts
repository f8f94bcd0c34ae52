import { createServer, type Server } from 'node:http';
import { afterEach, expect, test } from '@jest/globals';
import { portOf } from '../../packages/local-server/listening.ts';
import { Clients } from '../../src/lambda/client.ts';
import { type ExecutionEvent, followExecution } from '../../src/lambda/durable.ts';
import { fakeTiming, INVOCATION, POLICY, useLambda } from './invoke-context.ts';

const ARN = 'arn:aws:lambda:us-east-1:123456789012:function:echo:1/durable-execution/order-7/id';
let server: Server | undefined;
let restore = (): void => {};

afterEach(() => {
  server?.close();
  restore();
});

const step = (EventId: number, Name: string) => ({
  EventId,
  EventType: 'StepStarted',
  Name,
  EventTimestamp: 1,
});

type Page = Readonly<{ Events: readonly unknown[]; NextMarker?: string }>;

/** The lines for an execution with these history pages by marker, in one version per poll. */
async function told(polls: readonly Readonly<Record<string, Page>>[]) {
  const asked: string[] = [];
  let poll = -1;
  server = createServer((request, response) => {
    const url = new URL(request.url ?? '', 'http://127.0.0.1');
    const isHistory = url.pathname.endsWith('/history');
    if (!isHistory && url.searchParams.get('IncludeExecutionData') === 'false') poll += 1;
    const marker = url.searchParams.get('Marker') ?? '';
    if (isHistory) asked.push(marker);
    const isOver = poll >= polls.length - 1;
    const execution = {
      DurableExecutionArn: ARN,
      Status: isOver ? 'SUCCEEDED' : 'RUNNING',
      ...(isOver && { Result: '{"ok":true}' }),
    };
    response.writeHead(200, { 'content-type': 'application/json', 'x-amzn-requestid': 'id' });
    response.end(JSON.stringify(isHistory ? polls[poll]?.[marker] : execution));
  });
  await new Promise<void>((resolve) => server?.listen(0, '127.0.0.1', resolve));
  restore = useLambda(`http://127.0.0.1:${portOf(server)}`);
  const never = new AbortController().signal;
  const clients = new Clients({});
  const events: ExecutionEvent[] = [];
  const result = await followExecution(
    { kind: 'response', statusCode: 202, payload: new Uint8Array(), durableExecutionArn: ARN },
    { ...INVOCATION, invocationType: 'Event' },
    {
      api: clients.of(undefined),
      deadline: never,
      cancel: never,
      stop: never,
      timing: fakeTiming(),
      policy: POLICY,
      beganAt: 0,
      onFailedPoll: () => {},
      onExecutionEvent: (event) => events.push(event),
      onHiddenHistory: () => {},
    },
  );
  clients.close();
  return { result, asked, names: events.map(({ name }) => name) };
}

test.each([
  { what: 'the same marker', next: () => 'two', most: 3 },
  { what: 'a new marker', next: (marker: string) => `${marker}+`, most: 100 },
])(
  'a history whose pages always have $what does not hide the end',
  async ({ next, most }) => {
    const pages = new Proxy<Record<string, Page>>(
      {},
      { get: (_, marker) => ({ Events: [], NextMarker: next(String(marker)) }) },
    );
    const { result, asked } = await told([pages]);
    expect(result.kind).toBe('response');
    expect(asked.length).toBeLessThanOrEqual(most);
  },
  10_000,
);

test('a history with several pages is continued from its last page, and each event is reported once', async () => {
  const first = { Events: [step(1, 'a'), step(2, 'b')], NextMarker: 'two' };
  const { result, asked, names } = await told([
    { '': first, two: { Events: [step(3, 'c')] } },
    { two: { Events: [step(3, 'c'), step(4, 'd')], NextMarker: 'three' }, three: { Events: [step(5, 'e')] } },
    { three: { Events: [step(5, 'e')] } },
  ]);
  expect(names).toEqual(['a', 'b', 'c', 'd', 'e']);
  expect(asked).toEqual(['', 'two', 'two', 'three', 'three']);
  expect(new TextDecoder().decode(result.kind === 'response' ? result.payload : undefined)).toBe(
    '{"ok":true}',
  );
});

test('events of the execution itself and unknown events are not reported', async () => {
  const { names } = await told([
    {
      '': {
        Events: [
          { EventId: 1, EventType: 'ExecutionStarted', EventTimestamp: 1 },
          { EventId: 2, EventType: 'SomethingNew', Name: 'x', EventTimestamp: 1 },
          step(3, 'a'),
          { EventId: 4, EventType: 'InvocationCompleted', EventTimestamp: 1 },
        ],
      },
    },
  ]);
  expect(names).toEqual(['a']);
});
