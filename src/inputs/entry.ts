import type { Invocation, InvocationType, LogType } from '../lambda/invocation.ts';
import { parseChoice } from './choice.ts';
import { parseClientContext } from './client-context.ts';
import { unevaluatedIn } from './event-warnings.ts';
import type { JobFolders } from './folders.ts';
import {
  parseExecutionName,
  parseFunctionName,
  parseQualifier,
  parseRegion,
  parseTenantId,
} from './function-name.ts';
import { type GivenPayload, type Payload, parsePayload } from './payload.ts';
import { type Problems, quote } from './problems.ts';
import { INVOCATION_TYPES, type InputName, type InputReader, LOG_TYPES } from './schema.ts';

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

type GivenInputs = Readonly<{
  invocationType: InvocationType;
  logType: LogType;
  clientContext: string | undefined;
  executionName: string | undefined;
}>;

/** Inputs that count for some invocation types only. */
const LIMITED: readonly Readonly<{
  input: string;
  isGiven: (given: GivenInputs) => boolean;
  types: readonly InvocationType[];
  because: string;
}>[] = [
  {
    input: 'log_type: Tail',
    isGiven: ({ logType }) => logType === 'Tail',
    types: ['RequestResponse'],
    because: 'Lambda returns a log only for RequestResponse',
  },
  {
    input: 'client_context',
    isGiven: ({ clientContext }) => clientContext !== undefined,
    types: ['RequestResponse'],
    because: 'it reaches a function only with RequestResponse',
  },
  {
    input: 'durable_execution_name',
    isGiven: ({ executionName }) => executionName !== undefined,
    types: ['RequestResponse', 'Event'],
    because: 'a dry run starts no execution',
  },
];

const ignoredInputs = (given: GivenInputs): string[] =>
  LIMITED.filter(({ isGiven, types }) => isGiven(given) && !types.includes(given.invocationType)).map(
    ({ input, because }) =>
      `${input} has no effect with invocation_type: ${given.invocationType}; ${because}.`,
  );

/** What a streamed response can't be together with (source: the API's InvokeWithResponseStream). */
function checkStream(
  given: Pick<GivenInputs, 'executionName'> & { type: InvocationType | undefined },
  problems: Problems,
): void {
  if (given.type === 'Event') {
    problems.add(
      'response_stream needs invocation_type RequestResponse or DryRun: an Event has no response. Remove one of them.',
    );
  }
  if (given.executionName !== undefined) {
    problems.add(
      'response_stream and durable_execution_name are both given; Lambda streams no durable execution. Remove one of them.',
    );
  }
}

/** Reads entries of one step. What several of them inherit is read, and complained of, once. */
export class EntryParser {
  readonly #folders: JobFolders;
  readonly #responseStream: boolean;
  readonly #problems: Problems;
  readonly #inherited = new Map<string, Promise<Payload | undefined>>();

  constructor(step: { folders: JobFolders; responseStream: boolean }, problems: Problems) {
    this.#folders = step.folders;
    this.#responseStream = step.responseStream;
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
      folders: this.#folders,
      invocationType,
    };
    const payload = await (isOwn('payload') || isOwn('payload_file')
      ? parsePayload(given, here)
      : this.#inheritedPayload(given));
    const clientContext = await parseClientContext(read('client_context'), scope('client_context'));
    const tenantId = parseTenantId(read('tenant_id'), scope('tenant_id'));
    const executionName = parseExecutionName(read('durable_execution_name'), scope('durable_execution_name'));
    if (this.#responseStream) {
      checkStream(
        { type: invocationType, executionName },
        scope('invocation_type', 'durable_execution_name'),
      );
    }
    if (!reference || !invocationType || !logType || !payload) return undefined;

    const at = (...names: readonly InputName[]): string =>
      place !== undefined && names.some(isOwn) ? `${place}: ` : '';
    const context = { text: read('client_context'), input: 'client_context' } as const;
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
        ...(executionName !== undefined &&
          invocationType !== 'DryRun' && { durableExecutionName: executionName }),
      },
      warnings: [
        ...payload.warnings.map((warning) => at('payload', 'payload_file') + warning),
        ...unevaluatedIn('client_context', context).map((warning) => at('client_context') + warning),
        ...ignoredInputs({ invocationType, logType, clientContext, executionName }),
      ],
      notes:
        payload.outsideFile === undefined
          ? []
          : [
              `payload_file is ${quote(payload.outsideFile)}, outside the workspace ${quote(this.#folders.workspace)}.`,
            ],
    };
  }
}
