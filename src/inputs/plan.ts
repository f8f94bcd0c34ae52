import type { ProxyVariables } from '../lambda/connection.ts';
import type { DeliveryPolicy } from '../lambda/delivery.ts';
import type { Invocation } from '../lambda/invocation.ts';
import type { Expressions } from '../outcome/expectations.ts';
import { parseBoolean, parseChoice } from './choice.ts';
import { type InputName, type InputReader, RETRY_POLICIES } from './declarations.ts';
import { parseEntry } from './entry.ts';
import { parseExpressions } from './expressions.ts';
import { InvalidInputError, Problems } from './problems.ts';
import { parseProxy } from './proxy.ts';
import type { Environment } from './read.ts';
import { parseResultFile } from './result-file.ts';
import { parseSeconds } from './seconds.ts';

/** What the step is to do: checked, complete and frozen. Nothing after it looks at an input again. */
export type Plan = Readonly<{
  invocations: readonly Invocation[];
  delivery: DeliveryPolicy;
  proxy: ProxyVariables;
  expressions: Expressions;
  failOnFunctionError: boolean;
  showResponse: boolean;
  writeSummary: boolean;
  /** Absolute path for the response. */
  resultFile: string | undefined;
  /** What the user should know although nothing is wrong with it. */
  warnings: readonly string[];
  notes: readonly string[];
}>;

// Five days: a job on a self-hosted runner may take no longer.
const LONGEST_SECONDS = 432_000;

/** Turns the inputs into a plan. Throws InvalidInputError with every problem there is; nothing was sent by then. */
export async function makePlan(read: InputReader, environment: Environment): Promise<Plan> {
  const problems = new Problems();
  const flag = (name: InputName) => parseBoolean({ name, value: read(name) }, problems);
  const seconds = (name: InputName, least: number) =>
    parseSeconds({ name, value: read(name), least, most: LONGEST_SECONDS }, problems);

  const entry = await parseEntry(read, environment, problems);
  const timeoutMs = seconds('timeout_seconds', 1);
  const retry = parseChoice({ name: 'retry', value: read('retry'), choices: RETRY_POLICIES }, problems);
  const retryMs = seconds('retry_seconds', 0);
  const failOnFunctionError = flag('fail_on_function_error');
  const expressions = await parseExpressions(
    { expect: read('expect'), query: read('query'), mask: read('mask') },
    problems,
  );
  const showResponse = flag('show_response');
  const resultFile = await parseResultFile(read('result_file'), environment.workspace, problems);
  const writeSummary = flag('summary');
  const proxy = parseProxy(environment.proxy, problems);

  if (
    problems.error ||
    entry === undefined ||
    timeoutMs === undefined ||
    retry === undefined ||
    retryMs === undefined ||
    failOnFunctionError === undefined ||
    showResponse === undefined ||
    writeSummary === undefined
  ) {
    throw problems.error ?? new InvalidInputError([]);
  }
  return Object.freeze({
    invocations: Object.freeze([entry.invocation]),
    delivery: Object.freeze({ timeoutMs, retry, retryMs }),
    proxy: Object.freeze(proxy),
    expressions: Object.freeze(expressions),
    failOnFunctionError,
    showResponse,
    writeSummary,
    resultFile,
    warnings: Object.freeze(entry.warnings),
    notes: Object.freeze(entry.notes),
  });
}
