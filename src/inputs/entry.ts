import type { FunctionReference, Invocation } from '../lambda/invocation.ts';
import { unevaluatedIn } from './event-warnings.ts';
import type { JobFolders } from './files.ts';
import { parseFunctionName } from './function-name.ts';
import { type GivenPayload, type Payload, parseClientContext, parsePayload } from './payload.ts';
import { type Problems, quote } from './problems.ts';
import { ENTRY_ERRORS, ENTRY_WARNINGS } from './rules.ts';
import { ENTRY_INPUTS, type EntryValues, type InputName, type InputReader, parseInputs } from './schema.ts';

/** The inputs of one entry, its own or inherited from the step, and where its own stand. */
export type EntrySource = Readonly<{
  read: InputReader;
  isOwn: (name: InputName) => boolean;
  /** How a message names the entry; absent where the step is the entry. */
  place?: string;
}>;

/** An invocation that has no index yet, and what the user should know of it although nothing is wrong. */
export type Entry = Readonly<{
  invocation: Omit<Invocation, 'index'>;
  warnings: readonly string[];
  notes: readonly string[];
}>;

type SentParts = Readonly<{
  reference: FunctionReference;
  payload: Payload;
  clientContext: string | undefined;
}>;

/** What is sent for an entry: without the inputs that its invocation type does not support. */
function invocationOf(values: EntryValues, parts: SentParts): Entry['invocation'] {
  const { invocation_type: invocationType, qualifier, tenant_id: tenantId } = values;
  const { reference, payload, clientContext } = parts;
  const region = values.region ?? reference.region;
  const durableExecutionName = values.durable_execution_name;
  const isSynchronous = invocationType === 'RequestResponse';
  return {
    functionName: values.function_name,
    reference: Object.freeze(reference),
    invocationType,
    logType: isSynchronous ? values.log_type : 'None',
    keepsLog: true,
    payload: payload.bytes,
    ...(qualifier !== undefined && { qualifier }),
    ...(region !== undefined && { region }),
    ...(clientContext !== undefined && isSynchronous && { clientContext }),
    ...(tenantId !== undefined && { tenantId }),
    ...(durableExecutionName !== undefined && invocationType !== 'DryRun' && { durableExecutionName }),
  };
}

const outsideNotes = ({ outsideFile }: Payload, { workspace }: JobFolders): string[] =>
  outsideFile === undefined
    ? []
    : [`payload_file is ${quote(outsideFile)}, outside the workspace ${quote(workspace)}.`];

/** Reads the entries of one step. What several of them inherit is read, and reported where it is wrong, once. */
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

  /** The step's payload is the same for all entries that inherit it with one invocation type. */
  #inheritedPayload(given: GivenPayload): Promise<Payload | undefined> {
    const known = this.#inherited.get(given.invocationType);
    if (known) return known;
    const parsed = parsePayload(given, this.#problems);
    this.#inherited.set(given.invocationType, parsed);
    return parsed;
  }

  /** Reads one entry. Undefined where it can't be invoked, for problems that were found. */
  async parse({ read, isOwn, place }: EntrySource): Promise<Entry | undefined> {
    const here = place === undefined ? this.#problems : this.#problems.at(place);
    const problemsFor = (...names: readonly InputName[]): Problems =>
      names.some(isOwn) ? here : this.#problems;

    const reference = parseFunctionName(read('function_name'), problemsFor('function_name'));
    const values = parseInputs(ENTRY_INPUTS, { read, problemsFor });
    const facts = { ...values, response_stream: this.#responseStream, reference };
    for (const { inputs, applies, message } of ENTRY_ERRORS) {
      if (applies(facts)) problemsFor(...inputs).add(message(facts));
    }
    const given = {
      payload: values.payload,
      payloadFile: values.payload_file,
      folders: this.#folders,
      invocationType: values.invocation_type,
    };
    const payload = await (isOwn('payload') || isOwn('payload_file')
      ? parsePayload(given, here)
      : this.#inheritedPayload(given));
    const clientContext = await parseClientContext(values.client_context, problemsFor('client_context'));
    if (!reference || !payload) return undefined;
    const at = (...names: readonly InputName[]): string =>
      place !== undefined && names.some(isOwn) ? `${place}: ` : '';
    const context = { text: values.client_context, input: 'client_context' } as const;
    const warnings = [
      ...payload.warnings.map((warning) => at('payload', 'payload_file') + warning),
      ...unevaluatedIn('client_context', context).map((warning) => at('client_context') + warning),
      ...ENTRY_WARNINGS.filter(({ applies }) => applies(facts)).map(({ message }) => message(facts)),
    ];
    return {
      invocation: invocationOf(values, { reference, payload, clientContext }),
      warnings,
      notes: outsideNotes(payload, this.#folders),
    };
  }
}
