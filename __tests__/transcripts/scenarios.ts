import path from 'node:path';
import {
  type FaultChooser,
  type FunctionDefinition,
  type LocalLambdaOptions,
  throttle,
} from '../../packages/local-lambda/server.ts';

/** A step and what happens while it runs. */
export type Scenario = Readonly<{
  /** One or two sentences for the reader of the transcript. */
  story: string;
  with: Readonly<Record<string, string>>;
  fault?: FaultChooser;
  /** Whether the job runs on a pull request. The transcript then has its comment. */
  onPullRequest?: true;
  /** Asked from time to time while the step runs. The workflow is cancelled as soon as it returns true. */
  isCancelled?: (progress: Progress) => boolean;
  /** An earlier run of the same step in the same job, and its fault. The transcript has only the second run. */
  firstRun?: Readonly<{ fault: FaultChooser }>;
}>;

/** What a running step has done. */
export type Progress = Readonly<{
  /** The number of function executions that have started. */
  executions: number;
  /** The text of the log. */
  log: string;
}>;

const EXAMPLES = path.resolve(import.meta.dirname, '../../examples/local/functions.mjs');
const OWN = path.join(import.meta.dirname, 'functions.mjs');
const LIVE = { versions: { 1: {}, 2: {} }, aliases: { live: '2' } } as const;

/** The functions that the scenarios invoke. */
export const FUNCTIONS: Readonly<Record<string, FunctionDefinition>> = {
  greeting: { handler: `${EXAMPLES}.greeting` },
  'place-order': {
    handler: `${EXAMPLES}.placeOrder`,
    testEvents: { 'order-of-tea': { value: { order: 17, lines: [{ article: 'tea', count: 2 }] } } },
    ...LIVE,
  },
  'my-api': { handler: `${EXAMPLES}.brokenApi`, ...LIVE },
  migrate: { handler: `${EXAMPLES}.migrate` },
  checkout: { handler: `${EXAMPLES}.shop`, timeoutSeconds: 30 },
  search: { handler: `${EXAMPLES}.shop` },
  refund: { handler: `${EXAMPLES}.echo` },
  'roll-out': { handler: `${EXAMPLES}.rollOut`, durable: { executionTimeoutSeconds: 3_600 }, ...LIVE },
  'issue-token': { handler: `${OWN}.issueToken` },
  'rebuild-index': { handler: `${OWN}.rebuildIndex`, timeoutSeconds: 900 },
  'daily-report': { handler: `${OWN}.report` },
  'send-invoice': { handler: `${OWN}.sendInvoice`, logFormat: 'JSON' },
  'trial-roll-out': {
    handler: `${OWN}.trialRollOut`,
    durable: { executionTimeoutSeconds: 7_200 },
    ...LIVE,
  },
  'price-list': {
    handler: `${EXAMPLES}.shop`,
    versions: LIVE.versions,
    aliases: { live: { version: '2', routing: [{ weights: { 1: 1 }, lasts: { polls: 1 } }, {}] } },
    provisionedConcurrency: {
      live: {
        requested: 5,
        steps: [{ status: 'IN_PROGRESS', available: 2, lasts: { polls: 1 } }, { status: 'READY' }],
      },
    },
  },
};

/** The role of the job is not allowed to invoke `refund`. */
export const deny: NonNullable<LocalLambdaOptions['deny']> = ({ functionName }) =>
  functionName === 'refund'
    ? {
        kind: 'no-identity-policy',
        principal: 'arn:aws:sts::123456789012:assumed-role/deploy/GitHubActions',
      }
    : undefined;

const orders = Array.from({ length: 12 }, (_, at) => ({
  order: 101 + at,
  article: at === 3 || at === 8 ? 'coffee' : 'tea',
}));

/** The scenarios, by the name of the transcript. Entries run one at a time so that their order is fixed. */
export const SCENARIOS: Readonly<Record<string, Scenario>> = {
  greeting: {
    story: 'A function responds. The step shows its response and the tail of its log.',
    with: {
      function_name: 'greeting',
      payload: '{"name": "Ada"}',
      log_type: 'Tail',
      show_response: 'true',
    },
  },
  'function-error': {
    story:
      "A function throws an error. The annotation shows the error, the function's own stack frames and the request ID.",
    with: {
      function_name: 'place-order',
      qualifier: 'live',
      payload: '{"order": 17, "lines": [{"article": "coffee", "count": 2}]}',
      log_type: 'Tail',
    },
  },
  'expectation-not-met': {
    story: 'A function succeeds, but its response does not meet the expectation.',
    with: {
      function_name: 'greeting',
      payload: '{"name": "Ada"}',
      expect: "response.message == 'Hello, Grace!'",
    },
  },
  'several-expectations': {
    story:
      'A smoke test of a new version, whose API responds with 503. One expectation is met and two are not.',
    with: {
      function_name: 'my-api',
      qualifier: 'live',
      payload: '{"path": "/health"}',
      expect: [
        "executed_version == '2'",
        'response.statusCode == `200`',
        'powertools_json(response.body).ok == `true`',
      ].join('\n'),
    },
  },
  'connection-reset': {
    story:
      "The function runs to its end, then the connection is reset before the response arrives. The step does not retry. It finds the end of the run in the function's log.",
    with: { function_name: 'migrate', payload: '{"to": "latest"}' },
    fault: ({ operation }) => (operation === 'Invoke' ? { kind: 'reset', when: 'after' } : undefined),
  },
  'permission-denied': {
    story: 'IAM does not allow the role to invoke the function.',
    with: { function_name: 'refund', payload: '{"order": 17}' },
  },
  throttled: {
    story: 'Lambda throttles the first two requests. The step retries, and the function runs once.',
    with: { function_name: 'migrate', payload: '{"to": "latest"}' },
    fault: (_, n) => (n < 2 ? throttle('ReservedFunctionConcurrentInvocationLimitExceeded') : undefined),
  },
  'dry-run': {
    story:
      'A pull request checks whether the role is allowed to invoke three functions. One of them is denied, and no function runs.',
    with: {
      function_name: 'checkout\nsearch\nrefund',
      invocation_type: 'DryRun',
      max_concurrency: '1',
      comment_on_pull_request: 'true',
    },
    onPullRequest: true,
  },
  'many-invocations': {
    story: 'Twelve entries, one at a time. The fourth and the ninth fail, and the rest still run.',
    with: {
      function_name: 'place-order',
      invocations: orders
        .map(
          ({ order, article }) =>
            `- payload: { order: ${order}, lines: [{ article: ${article}, count: 1 }] }\n`,
        )
        .join(''),
      max_concurrency: '1',
    },
  },
  'warm-up': {
    story:
      'Three copies of one invocation run at the same time, so that three execution environments are warm.',
    with: { function_name: 'checkout', payload: '{"action": "warmup"}', repeat: '3' },
  },
  'streamed-response': {
    story: 'The response arrives as a stream. The log shows its lines, and the step saves it to a file.',
    with: {
      function_name: 'daily-report',
      payload: '{"day": "2026-01-02"}',
      response_stream: 'true',
      response_file: 'reports/orders.txt',
      show_response: 'true',
    },
  },
  'invalid-inputs': {
    story: 'Several inputs are wrong. All problems are reported together, and nothing is sent.',
    with: {
      function_name: 'my function',
      payload: '{"name": "Ada",}',
      invocation_type: 'async',
      timeout_seconds: '0',
      expect: 'response.statusCode == 200',
      summary: 'yes',
    },
  },
  'masked-response': {
    story:
      'The response contains a secret, and the function logs it. Only the outputs for later steps keep it unmasked.',
    with: {
      function_name: 'issue-token',
      payload: '{"user": "ada"}',
      mask: 'response.token',
      log_type: 'Tail',
      show_response: 'true',
    },
  },
  'durable-execution': {
    story:
      'A durable execution is started and followed to its end. It waits once, so its handler runs twice.',
    with: {
      function_name: 'roll-out',
      qualifier: 'live',
      payload: '{"release": "v1.5.0"}',
      invocation_type: 'Event',
      durable_execution_name: 'release-42',
      wait_for_durable_execution: 'true',
      show_response: 'true',
    },
  },
  cancelled: {
    story: 'The workflow is cancelled while the function runs.',
    with: { function_name: 'rebuild-index', payload: '{}' },
    isCancelled: ({ executions }) => executions > 0,
  },
  'stopped-on-cancel': {
    story: 'The workflow is cancelled while a durable execution waits. The step stops the execution.',
    with: {
      function_name: 'trial-roll-out',
      qualifier: 'live',
      payload: '{"release": "v1.5.0"}',
      invocation_type: 'Event',
      durable_execution_name: 'trial-42',
      wait_for_durable_execution: 'true',
      on_cancel: 'stop',
    },
    isCancelled: ({ log }) => log.includes('watch the alarms started'),
  },
  'followed-log': {
    story: "The step shows the function's whole log while the function runs, and saves it to a file.",
    with: { function_name: 'migrate', payload: '{"to": "latest"}', follow_log: 'true' },
  },
  'wait-for-event': {
    story:
      "Lambda queues the event. The function fails, Lambda retries, and the second try succeeds. The step reads that in the function's log.",
    with: {
      function_name: 'send-invoice',
      payload: '{"order": 17}',
      invocation_type: 'Event',
      wait_for_event: 'true',
    },
  },
  'second-run-with-journal': {
    story:
      'In the first run, IAM denied the third of four invocations. The second run has the journal of the first and invokes only what has not succeeded.',
    with: {
      function_name: 'place-order',
      invocations: orders
        .filter(({ article }) => article === 'tea')
        .slice(0, 4)
        .map(
          ({ order, article }) =>
            `- payload: { order: ${order}, lines: [{ article: ${article}, count: 1 }] }\n`,
        )
        .join(''),
      max_concurrency: '1',
      journal: 'orders.jsonl',
    },
    firstRun: {
      fault: (_, n) =>
        n === 2
          ? {
              kind: 'error',
              when: 'before',
              status: 403,
              type: 'AccessDeniedException',
              message: 'User is not authorized to perform: lambda:InvokeFunction',
            }
          : undefined,
    },
  },
  'named-entries': {
    story:
      'Entries have names, and the step invokes nothing more after the first failure. The third entry does not run.',
    with: {
      function_name: 'place-order',
      invocations: [
        '- name: tea for Ada',
        '  payload: { order: 101, lines: [{ article: tea, count: 1 }] }',
        '- name: coffee for Grace',
        '  payload: { order: 102, lines: [{ article: coffee, count: 1 }] }',
        '- name: tea for Linus',
        '  payload: { order: 103, lines: [{ article: tea, count: 1 }] }',
        '',
      ].join('\n'),
      max_concurrency: '1',
      stop_on_failure: 'true',
    },
  },
  'provisioned-concurrency': {
    story:
      'An alias has just moved to version 2. The step waits until its provisioned concurrency is ready and until it routes all invocations to that version.',
    with: {
      function_name: 'price-list',
      qualifier: 'live',
      payload: '{"action": "smoke-test"}',
      wait_until_ready: 'true',
      expect: `executed_version == '2'`,
    },
  },
  'test-event': {
    story: "The payload is one of the function's shareable test events.",
    with: {
      function_name: 'place-order',
      qualifier: 'live',
      test_event: 'order-of-tea',
      expect: 'response.accepted == `true`',
    },
  },
};
