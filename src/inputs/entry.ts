import type { Invocation, InvocationType, LogType } from '../lambda/invocation.ts';
import { parseChoice } from './choice.ts';
import { parseClientContext } from './client-context.ts';
import { INVOCATION_TYPES, type InputName, type InputReader, LOG_TYPES } from './declarations.ts';
import { parseFunctionName, parseQualifier, parseRegion, parseTenantId } from './function-name.ts';
import { parsePayload } from './payload.ts';
import { type Problems, quote } from './problems.ts';
import type { Environment } from './read.ts';

/** An invocation, and what the user should know of it although nothing is wrong. */
export type Entry = Readonly<{
  invocation: Invocation;
  warnings: readonly string[];
  notes: readonly string[];
}>;

const REASONS = {
  'log_type: Tail': 'Lambda returns a log only for RequestResponse',
  client_context: 'it reaches a function only with RequestResponse',
  result_file: 'there is a response only with RequestResponse',
} as const;

function ignoredInputs(given: {
  invocationType: InvocationType;
  logType: LogType;
  clientContext: string | undefined;
  resultFile: string;
}): string[] {
  if (given.invocationType === 'RequestResponse') return [];
  const ignored: readonly (readonly [input: keyof typeof REASONS, isGiven: boolean])[] = [
    ['log_type: Tail', given.logType === 'Tail'],
    ['client_context', given.clientContext !== undefined],
    ['result_file', given.resultFile !== ''],
  ];
  return ignored
    .filter(([, isGiven]) => isGiven)
    .map(
      ([input]) => `${input} has no effect with invocation_type: ${given.invocationType}; ${REASONS[input]}.`,
    );
}

/** Reads the inputs that make one invocation. Undefined where `problems` has grown. */
export async function parseEntry(
  read: InputReader,
  environment: Environment,
  problems: Problems,
): Promise<Entry | undefined> {
  const choice = <C extends string>(name: InputName, choices: readonly C[]) =>
    parseChoice({ name, value: read(name), choices }, problems);
  const functionName = read('function_name');
  const reference = parseFunctionName(functionName, problems);
  const qualifier = parseQualifier(read('qualifier'), reference, problems);
  const region = parseRegion(read('region'), reference, problems);
  const invocationType = choice('invocation_type', INVOCATION_TYPES);
  const logType = choice('log_type', LOG_TYPES);
  const { workspace } = environment;
  const payload = await parsePayload(
    { payload: read('payload'), payloadFile: read('payload_file'), workspace, invocationType },
    problems,
  );
  const clientContext = await parseClientContext(read('client_context'), problems);
  const tenantId = parseTenantId(read('tenant_id'), problems);
  if (!reference || !invocationType || !logType || !payload) return undefined;

  const isSynchronous = invocationType === 'RequestResponse';
  const invocation: Invocation = {
    index: 0,
    functionName,
    reference: Object.freeze(reference),
    invocationType,
    logType: isSynchronous ? logType : 'None',
    payload: payload.bytes,
    ...(qualifier !== undefined && { qualifier }),
    ...(region !== undefined && { region }),
    ...(clientContext !== undefined && isSynchronous && { clientContext }),
    ...(tenantId !== undefined && { tenantId }),
  };
  const resultFile = read('result_file');
  return {
    invocation: Object.freeze(invocation),
    warnings: ignoredInputs({ invocationType, logType, clientContext, resultFile }),
    notes:
      payload.outsideFile === undefined
        ? []
        : [`payload_file is ${quote(payload.outsideFile)}, outside the workspace ${quote(workspace)}.`],
  };
}
