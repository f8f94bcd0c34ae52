import type { ProxyVariables } from '../lambda/connection.ts';
import type { Invocation } from '../lambda/invocation.ts';
import type { InvokePolicy } from '../lambda/invoker.ts';
import type { Expressions } from '../outcome/expectations.ts';
import { checkAwsSettings } from './aws-settings.ts';
import { parseBoolean, parseChoice } from './choice.ts';
import { type CommentPlan, planComment } from './comment.ts';
import { parseEntries } from './entries.ts';
import type { Environment } from './environment.ts';
import { parseExpressions } from './expressions.ts';
import { checkInputNames } from './misspelled.ts';
import { parseInteger, parseSeconds, parseShard } from './numbers.ts';
import { InvalidInputError, Problems } from './problems.ts';
import { parseProxy } from './proxy.ts';
import { parseResponseFile } from './response-file.ts';
import { INPUT_NAMES, type InputName, type InputReader, RETRY_POLICIES } from './schema.ts';

/** What the step is to do: checked, complete and frozen. Nothing after it looks at an input again. */
export type Plan = Readonly<{
  invocations: readonly Invocation[];
  /** Attempts in flight at most. */
  maxConcurrency: number;
  delivery: InvokePolicy;
  waitUntilReady: boolean;
  waitForDurableExecution: boolean;
  responseStream: boolean;
  proxy: ProxyVariables;
  /** The region where the SDK's own chain names none. */
  defaultRegion?: string;
  expressions: Expressions;
  failOnFunctionError: boolean;
  showResponse: boolean;
  writeSummary: boolean;
  /** Absolute path for the response. */
  responseFile: string | undefined;
  /** Absent where no comment is wanted. */
  comment?: CommentPlan;
  /** What the user should know although nothing is wrong with it. */
  warnings: readonly string[];
  notes: readonly string[];
}>;

// Five days: a job on a self-hosted runner may take no longer.
const LONGEST_SECONDS = 432_000;

const MOST_COPIES = 10_000;
const MOST_IN_FLIGHT = 1_000;
const USUAL_CONCURRENCY = 10;

const ALWAYS_VERIFIED =
  'NODE_TLS_REJECT_UNAUTHORIZED=0 is ignored: certificates are always verified. To trust a private certificate authority, set NODE_EXTRA_CA_CERTS to the file with its certificate.';

/** Turns the inputs into a plan. Throws InvalidInputError with every problem there is; nothing was sent by then. */
export async function makePlan(read: InputReader, environment: Environment): Promise<Plan> {
  const problems = new Problems();
  checkInputNames(environment.inputNames, INPUT_NAMES, problems);
  checkAwsSettings(environment.aws, problems);
  const flag = (name: InputName) => parseBoolean({ name, value: read(name) }, problems);
  const seconds = (name: InputName, least: number) =>
    parseSeconds({ name, value: read(name), least, most: LONGEST_SECONDS }, problems);
  const count = (name: InputName, most: number) =>
    parseInteger({ name, value: read(name), least: 1, most }, problems);
  const { workspace, temporaryFolder } = environment;
  const folders = { workspace, temporaryFolder };

  const retry = parseChoice({ name: 'retry', value: read('retry'), choices: RETRY_POLICIES }, problems);
  const responseStream = flag('response_stream');
  const waitUntilReady = flag('wait_until_ready');
  const waitForDurableExecution = flag('wait_for_durable_execution');
  const repeat = count('repeat', MOST_COPIES);
  const shard = parseShard(read('shard'), problems);
  const { invocations, counts, warnings, notes } = await parseEntries(
    read,
    {
      folders,
      repeat: repeat ?? 1,
      shard: shard ?? { index: 0, total: 1 },
      mayAskTwice: retry !== 'never',
      responseStream: responseStream ?? false,
    },
    problems,
  );
  // Not given, it lets all copies of an entry overlap.
  const maxConcurrency =
    read('max_concurrency') === ''
      ? Math.max(USUAL_CONCURRENCY, repeat ?? 1)
      : count('max_concurrency', MOST_IN_FLIGHT);
  const timeoutMs = seconds('timeout_seconds', 1);
  const retryMs = seconds('retry_seconds', 0);
  const failOnFunctionError = flag('fail_on_function_error');
  const expressions = await parseExpressions(
    { expect: read('expect'), query: read('query'), mask: read('mask') },
    problems,
  );
  const showResponse = flag('show_response');
  const { file: responseFile, note } = await parseResponseFile(read('response_file'), folders, problems);
  if (responseFile !== undefined && counts.total > 1) {
    problems.add(
      `response_file takes the response of one invocation, and this step has ${counts.total}. Remove it, and read the output outcomes_file.`,
    );
  }
  if (responseStream && counts.responses > 1) {
    problems.add(
      `response_stream takes one invocation, and this step has ${counts.responses}. Give each a step of its own.`,
    );
  }
  if (responseStream && waitForDurableExecution) {
    problems.add(
      'response_stream and wait_for_durable_execution are both true; Lambda streams no durable execution. Remove one of them.',
    );
  }
  const writeSummary = flag('summary');
  const wantsComment = flag('comment_on_pull_request');
  const proxy = parseProxy(environment, problems);

  if (
    problems.error ||
    repeat === undefined ||
    maxConcurrency === undefined ||
    timeoutMs === undefined ||
    retry === undefined ||
    retryMs === undefined ||
    responseStream === undefined ||
    waitUntilReady === undefined ||
    waitForDurableExecution === undefined ||
    failOnFunctionError === undefined ||
    showResponse === undefined ||
    writeSummary === undefined ||
    wantsComment === undefined
  ) {
    throw problems.error ?? new InvalidInputError([]);
  }
  return Object.freeze({
    invocations,
    maxConcurrency,
    delivery: Object.freeze({ timeoutMs, retry, retryMs }),
    waitUntilReady,
    waitForDurableExecution,
    responseStream,
    proxy: Object.freeze(proxy),
    ...(environment.aws.defaultRegion !== undefined && { defaultRegion: environment.aws.defaultRegion }),
    expressions: Object.freeze(expressions),
    failOnFunctionError,
    showResponse,
    writeSummary,
    responseFile,
    ...(wantsComment && { comment: await planComment(read, environment) }),
    warnings: Object.freeze([
      ...warnings,
      ...(environment.trustsAnyCertificate ? [ALWAYS_VERIFIED] : []),
      ...pointless({
        repeat,
        maxConcurrency,
        responseFile,
        invocations,
        waitUntilReady,
        waitForDurableExecution,
      }),
    ]),
    notes: Object.freeze([...notes, ...(note === undefined ? [] : [note])]),
  });
}

type Together = Readonly<{
  repeat: number;
  maxConcurrency: number;
  responseFile: string | undefined;
  invocations: readonly Invocation[];
  waitUntilReady: boolean;
  waitForDurableExecution: boolean;
}>;

const hasResponse = ({ invocationType }: Invocation, { waitForDurableExecution }: Together): boolean =>
  invocationType === 'RequestResponse' || (invocationType === 'Event' && waitForDurableExecution);

const areDryRuns = (invocations: readonly Invocation[]): boolean =>
  invocations.length > 0 && invocations.every(({ invocationType }) => invocationType === 'DryRun');

/** Inputs that have no effect together with others. */
function pointless(given: Together): string[] {
  const { repeat, maxConcurrency, responseFile, invocations } = given;
  const [first] = invocations;
  const rows: readonly (readonly [isPointless: boolean, warning: string])[] = [
    [
      maxConcurrency < repeat,
      `max_concurrency: ${maxConcurrency} is below repeat: ${repeat}, so the copies of an entry do not all overlap.`,
    ],
    [
      repeat > 1 && invocations.some(({ durableExecutionName }) => durableExecutionName !== undefined),
      `repeat: ${repeat} has no effect with durable_execution_name; Lambda takes all copies for one execution.`,
    ],
    [
      responseFile !== undefined && first !== undefined && !hasResponse(first, given),
      `response_file has no effect with invocation_type: ${first?.invocationType}; there is a response only with RequestResponse.`,
    ],
    [
      given.waitUntilReady && areDryRuns(invocations),
      'wait_until_ready has no effect with invocation_type: DryRun; a dry run does not ask for the state.',
    ],
    [
      given.waitForDurableExecution && areDryRuns(invocations),
      'wait_for_durable_execution has no effect with invocation_type: DryRun; a dry run starts no execution.',
    ],
  ];
  return rows.filter(([isPointless]) => isPointless).map(([, warning]) => warning);
}
