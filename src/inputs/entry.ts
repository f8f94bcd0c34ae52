import type { Invocation, InvocationType, LogType } from '../lambda/invocation.ts';
import { parseChoice } from './choice.ts';
import { parseClientContext } from './client-context.ts';
import { INVOCATION_TYPES, type InputName, type InputReader, LOG_TYPES } from './declarations.ts';
import { parseFunctionName, parseQualifier, parseRegion, parseTenantId } from './function-name.ts';
import { type GivenPayload, type Payload, parsePayload } from './payload.ts';
import { type Problems, quote } from './problems.ts';

/** The inputs of one entry, its own or inherited from the step, and where its own stand. */
export type EntrySource = Readonly<{
  read: InputReader;
  isOwn: (name: InputName) => boolean;
  /** How a message names the entry; absent where the step is the entry. */
  place?: string;
}>;

/** An invocation without its place in the plan, and what the user should know of it although nothing is wrong. */
export type Entry = Readonly<{
  invocation: Omit<Invocation, 'index'>;
  warnings: readonly string[];
  notes: readonly string[];
}>;

const REASONS = {
  'log_type: Tail': 'Lambda returns a log only for RequestResponse',
  client_context: 'it reaches a function only with RequestResponse',
} as const;

function ignoredInputs(given: {
  invocationType: InvocationType;
  logType: LogType;
  clientContext: string | undefined;
}): string[] {
  if (given.invocationType === 'RequestResponse') return [];
  const ignored: readonly (readonly [input: keyof typeof REASONS, isGiven: boolean])[] = [
    ['log_type: Tail', given.logType === 'Tail'],
    ['client_context', given.clientContext !== undefined],
  ];
  return ignored
    .filter(([, isGiven]) => isGiven)
    .map(
      ([input]) => `${input} has no effect with invocation_type: ${given.invocationType}; ${REASONS[input]}.`,
    );
}

/** Reads entries of one step. What several of them inherit is read, and complained of, once. */
export class EntryParser {
  readonly #workspace: string;
  readonly #problems: Problems;
  readonly #inherited = new Map<string, Promise<Payload | undefined>>();

  constructor(workspace: string, problems: Problems) {
    this.#workspace = workspace;
    this.#problems = problems;
  }

  /** The step's payload is the same for all who inherit it with one invocation type. */
  #inheritedPayload(given: GivenPayload): Promise<Payload | undefined> {
    const key = given.invocationType ?? '';
    const known = this.#inherited.get(key);
    if (known) return known;
    const parsed = parsePayload(given, this.#problems);
    this.#inherited.set(key, parsed);
    return parsed;
  }

  /** Reads one entry. Undefined where problems were found. */
  async parse({ read, isOwn, place }: EntrySource): Promise<Entry | undefined> {
    const here = place === undefined ? this.#problems : this.#problems.at(place);
    const scope = (...names: readonly InputName[]): Problems => (names.some(isOwn) ? here : this.#problems);
    const choice = <C extends string>(name: InputName, choices: readonly C[]) =>
      parseChoice({ name, value: read(name), choices }, scope(name));

    const functionName = read('function_name');
    const reference = parseFunctionName(functionName, scope('function_name'));
    const qualifier = parseQualifier(read('qualifier'), reference, scope('function_name', 'qualifier'));
    const region = parseRegion(read('region'), reference, scope('function_name', 'region'));
    const invocationType = choice('invocation_type', INVOCATION_TYPES);
    const logType = choice('log_type', LOG_TYPES);
    const given = {
      payload: read('payload'),
      payloadFile: read('payload_file'),
      workspace: this.#workspace,
      invocationType,
    };
    const payload = await (isOwn('payload') || isOwn('payload_file')
      ? parsePayload(given, here)
      : this.#inheritedPayload(given));
    const clientContext = await parseClientContext(read('client_context'), scope('client_context'));
    const tenantId = parseTenantId(read('tenant_id'), scope('tenant_id'));
    if (!reference || !invocationType || !logType || !payload) return undefined;

    const isSynchronous = invocationType === 'RequestResponse';
    return {
      invocation: {
        functionName,
        reference: Object.freeze(reference),
        invocationType,
        logType: isSynchronous ? logType : 'None',
        keepsLog: true,
        payload: payload.bytes,
        ...(qualifier !== undefined && { qualifier }),
        ...(region !== undefined && { region }),
        ...(clientContext !== undefined && isSynchronous && { clientContext }),
        ...(tenantId !== undefined && { tenantId }),
      },
      warnings: ignoredInputs({ invocationType, logType, clientContext }),
      notes:
        payload.outsideFile === undefined
          ? []
          : [
              `payload_file is ${quote(payload.outsideFile)}, outside the workspace ${quote(this.#workspace)}.`,
            ],
    };
  }
}
