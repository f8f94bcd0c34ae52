import type { ProxyVariables } from '../lambda/connection.ts';
import type { DeliveryPolicy } from '../lambda/delivery.ts';
import type { Invocation, InvocationType, LogType } from '../lambda/invocation.ts';
import { parseBoolean, parseChoice } from './choice.ts';
import { parseClientContext } from './client-context.ts';
import {
  INVOCATION_TYPES,
  type InputName,
  type InputReader,
  LOG_TYPES,
  RETRY_POLICIES,
} from './declarations.ts';
import { parseFunctionName, parseQualifier, parseRegion, parseTenantId } from './function-name.ts';
import { parsePayload } from './payload.ts';
import { InvalidInputError, Problems, quote } from './problems.ts';
import { parseProxy } from './proxy.ts';
import type { Environment } from './read.ts';
import { parseSeconds } from './seconds.ts';

/** What the step is to do: checked, complete and frozen. Nothing after it looks at an input again. */
export type Plan = Readonly<{
  invocations: readonly Invocation[];
  delivery: DeliveryPolicy;
  proxy: ProxyVariables;
  failOnFunctionError: boolean;
  showResponse: boolean;
  writeSummary: boolean;
  /** What the user should know although nothing is wrong with it. */
  warnings: readonly string[];
  notes: readonly string[];
}>;

// Five days: a job on a self-hosted runner may take no longer.
const LONGEST_SECONDS = 432_000;

type Ignored = Readonly<{ input: string; because: string }>;

function ignoredInputs(given: {
  invocationType: InvocationType;
  logType: LogType;
  clientContext: string | undefined;
}): Ignored[] {
  if (given.invocationType === 'RequestResponse') return [];
  return [
    ...(given.logType === 'Tail'
      ? [{ input: 'log_type: Tail', because: 'Lambda returns a log only for RequestResponse' }]
      : []),
    ...(given.clientContext !== undefined
      ? [{ input: 'client_context', because: 'it reaches a function only with RequestResponse' }]
      : []),
  ];
}

/** Turns the inputs into a plan. Throws InvalidInputError with every problem there is; nothing was sent by then. */
export async function makePlan(read: InputReader, environment: Environment): Promise<Plan> {
  const problems = new Problems();
  const choice = <C extends string>(name: InputName, choices: readonly C[]) =>
    parseChoice({ name, value: read(name), choices }, problems);
  const flag = (name: InputName) => parseBoolean({ name, value: read(name) }, problems);

  const functionName = read('function_name');
  const reference = parseFunctionName(functionName, problems);
  const qualifier = parseQualifier(read('qualifier'), reference, problems);
  const region = parseRegion(read('region'), reference, problems);
  const invocationType = choice('invocation_type', INVOCATION_TYPES);
  const logType = choice('log_type', LOG_TYPES);
  const payload = await parsePayload(
    {
      payload: read('payload'),
      payloadFile: read('payload_file'),
      workspace: environment.workspace,
      invocationType,
    },
    problems,
  );
  const clientContext = await parseClientContext(read('client_context'), problems);
  const tenantId = parseTenantId(read('tenant_id'), problems);
  const timeoutMs = parseSeconds(
    { name: 'timeout_seconds', value: read('timeout_seconds'), least: 1, most: LONGEST_SECONDS },
    problems,
  );
  const retry = choice('retry', RETRY_POLICIES);
  const retryMs = parseSeconds(
    { name: 'retry_seconds', value: read('retry_seconds'), least: 0, most: LONGEST_SECONDS },
    problems,
  );
  const proxy = parseProxy(environment.proxy, problems);
  const failOnFunctionError = flag('fail_on_function_error');
  const showResponse = flag('show_response');
  const writeSummary = flag('summary');

  if (
    problems.error ||
    !reference ||
    !invocationType ||
    !logType ||
    !payload ||
    timeoutMs === undefined ||
    !retry ||
    retryMs === undefined ||
    failOnFunctionError === undefined ||
    showResponse === undefined ||
    writeSummary === undefined
  ) {
    throw problems.error ?? new InvalidInputError([]);
  }

  const ignored = ignoredInputs({ invocationType, logType, clientContext });
  const invocation: Invocation = {
    index: 0,
    functionName,
    reference: Object.freeze(reference),
    invocationType,
    logType: invocationType === 'RequestResponse' ? logType : 'None',
    payload: payload.bytes,
    ...(qualifier !== undefined && { qualifier }),
    ...(region !== undefined && { region }),
    ...(clientContext !== undefined && invocationType === 'RequestResponse' && { clientContext }),
    ...(tenantId !== undefined && { tenantId }),
  };
  return Object.freeze({
    invocations: Object.freeze([Object.freeze(invocation)]),
    delivery: Object.freeze({ timeoutMs, retry, retryMs }),
    proxy: Object.freeze(proxy),
    failOnFunctionError,
    showResponse,
    writeSummary,
    warnings: Object.freeze(
      ignored.map(
        ({ input, because }) => `${input} has no effect with invocation_type: ${invocationType}; ${because}.`,
      ),
    ),
    notes: Object.freeze(
      payload.outsideFile === undefined
        ? []
        : [
            `payload_file is ${quote(payload.outsideFile)}, outside the workspace ${quote(environment.workspace)}.`,
          ],
    ),
  });
}
