import type { ProxyVariables } from '../lambda/connection.ts';
import type { DeliveryPolicy } from '../lambda/delivery.ts';
import type { Invocation } from '../lambda/invocation.ts';
import type { Expressions } from '../outcome/expectations.ts';
import { parseBoolean, parseChoice } from './choice.ts';
import { type CommentPlan, planComment } from './comment.ts';
import { type InputName, type InputReader, RETRY_POLICIES } from './declarations.ts';
import { parseEntries } from './entries.ts';
import { parseExpressions } from './expressions.ts';
import { parseInteger, parseSeconds, parseShard } from './numbers.ts';
import { InvalidInputError, Problems } from './problems.ts';
import { parseProxy } from './proxy.ts';
import type { Environment } from './read.ts';
import { parseResultFile } from './result-file.ts';

/** What the step is to do: checked, complete and frozen. Nothing after it looks at an input again. */
export type Plan = Readonly<{
  invocations: readonly Invocation[];
  /** Attempts in flight at most. */
  maxConcurrency: number;
  delivery: DeliveryPolicy;
  proxy: ProxyVariables;
  expressions: Expressions;
  failOnFunctionError: boolean;
  showResponse: boolean;
  writeSummary: boolean;
  /** Absolute path for the response. */
  resultFile: string | undefined;
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
const MOST_INVOCATIONS = 100_000;
const USUAL_CONCURRENCY = 10;

/** Turns the inputs into a plan. Throws InvalidInputError with every problem there is; nothing was sent by then. */
export async function makePlan(read: InputReader, environment: Environment): Promise<Plan> {
  const problems = new Problems();
  const flag = (name: InputName) => parseBoolean({ name, value: read(name) }, problems);
  const seconds = (name: InputName, least: number) =>
    parseSeconds({ name, value: read(name), least, most: LONGEST_SECONDS }, problems);
  const count = (name: InputName, most: number) =>
    parseInteger({ name, value: read(name), least: 1, most }, problems);
  const { workspace } = environment;

  const repeat = count('repeat', MOST_COPIES);
  const shard = parseShard(read('shard'), problems);
  const { invocations, warnings, notes } = await parseEntries(
    read,
    {
      workspace,
      repeat: repeat ?? 1,
      shard: shard ?? { index: 0, total: 1 },
      mayAskTwice: read('retry') !== 'never',
    },
    problems,
  );
  // Not given, it lets all copies of an entry overlap.
  const maxConcurrency =
    read('max_concurrency') === ''
      ? Math.max(USUAL_CONCURRENCY, repeat ?? 1)
      : count('max_concurrency', MOST_IN_FLIGHT);
  const timeoutMs = seconds('timeout_seconds', 1);
  const retry = parseChoice({ name: 'retry', value: read('retry'), choices: RETRY_POLICIES }, problems);
  const retryMs = seconds('retry_seconds', 0);
  const failOnFunctionError = flag('fail_on_function_error');
  const expressions = await parseExpressions(
    { expect: read('expect'), query: read('query'), mask: read('mask') },
    problems,
  );
  const showResponse = flag('show_response');
  const resultFile = await parseResultFile(read('result_file'), workspace, problems);
  if (resultFile !== undefined && invocations.length > 1) {
    problems.add(
      `result_file takes the response of one invocation, and this step has ${invocations.length}. Remove it, and read the output results_file.`,
    );
  }
  if (invocations.length > MOST_INVOCATIONS) {
    problems.add(
      `This step has ${invocations.length} invocations; the most is ${MOST_INVOCATIONS}. Share them between jobs with shard.`,
    );
  }
  const writeSummary = flag('summary');
  const wantsComment = flag('comment_on_pull_request');
  const proxy = parseProxy(environment.proxy, problems);

  if (
    problems.error ||
    repeat === undefined ||
    maxConcurrency === undefined ||
    timeoutMs === undefined ||
    retry === undefined ||
    retryMs === undefined ||
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
    proxy: Object.freeze(proxy),
    expressions: Object.freeze(expressions),
    failOnFunctionError,
    showResponse,
    writeSummary,
    resultFile,
    ...(wantsComment && { comment: await planComment(read, environment) }),
    warnings: Object.freeze([...warnings, ...pointless({ repeat, maxConcurrency, resultFile, invocations })]),
    notes,
  });
}

/** Inputs that have no effect together with others. */
function pointless(given: {
  repeat: number;
  maxConcurrency: number;
  resultFile: string | undefined;
  invocations: readonly Invocation[];
}): string[] {
  const { repeat, maxConcurrency, resultFile, invocations } = given;
  const [first] = invocations;
  return [
    ...(maxConcurrency < repeat
      ? [
          `max_concurrency: ${maxConcurrency} is below repeat: ${repeat}, so the copies of an entry do not all overlap.`,
        ]
      : []),
    ...(resultFile !== undefined && first !== undefined && first.invocationType !== 'RequestResponse'
      ? [
          `result_file has no effect with invocation_type: ${first.invocationType}; there is a response only with RequestResponse.`,
        ]
      : []),
  ];
}
