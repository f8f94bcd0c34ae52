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
  /** Whether the workflow is cancelled once the function has started. */
  isCancelled?: true;
}>;

const EXAMPLES = path.resolve(import.meta.dirname, '../../examples/local/functions.mjs');
const OWN = path.join(import.meta.dirname, 'functions.mjs');
const LIVE = { versions: { 1: {}, 2: {} }, aliases: { live: '2' } } as const;

/** The functions that the scenarios invoke. */
export const FUNCTIONS: Readonly<Record<string, FunctionDefinition>> = {
  greeting: { handler: `${EXAMPLES}.greeting` },
  'place-order': { handler: `${EXAMPLES}.placeOrder`, ...LIVE },
  'my-api': { handler: `${EXAMPLES}.brokenApi`, ...LIVE },
  migrate: { handler: `${EXAMPLES}.migrate` },
  checkout: { handler: `${EXAMPLES}.shop`, timeoutSeconds: 30 },
  search: { handler: `${EXAMPLES}.shop` },
  refund: { handler: `${EXAMPLES}.echo` },
  'roll-out': { handler: `${EXAMPLES}.rollOut`, durable: { executionTimeoutSeconds: 3_600 }, ...LIVE },
  'issue-token': { handler: `${OWN}.issueToken` },
  'rebuild-index': { handler: `${OWN}.rebuildIndex`, timeoutSeconds: 900 },
  'daily-report': { handler: `${OWN}.report` },
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
      "A function throws an error. The annotation shows the error, the function's own stack frames and the request id.",
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
      'The function runs to its end, then the connection is reset before the response arrives. The step does not retry.',
    with: { function_name: 'migrate', payload: '{"to": "latest"}' },
    fault: () => ({ kind: 'reset', when: 'after' }),
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
    isCancelled: true,
  },
};
