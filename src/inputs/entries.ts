import type { Invocation, InvocationType } from '../lambda/invocation.ts';
import { type FunctionReference, splitFunctionName } from '../shared/arn.ts';
import type { OwnExpectations } from './expressions.ts';
import type { JobFolders } from './files.ts';
import type { EventStamp } from './http-event.ts';
import { linesOf } from './input-types.ts';
import type { ListedEntry } from './invocations.ts';
import {
  firstOf,
  type GivenPayload,
  oversizeProblem,
  type Payload,
  parseClientContext,
  parsePayload,
  unevaluatedIn,
} from './payload.ts';
import { type Problems, quote } from './problems.ts';
import { ENTRY_ERRORS, ENTRY_WARNINGS, isWithinLimit, namesFunctionsTwice } from './rules.ts';
import {
  ENTRY_INPUTS,
  type EntryValues,
  EVENT_INPUTS,
  type InputName,
  type InputReader,
  type InputValues,
  isEntryInput,
  parseInputs,
} from './schema.ts';
import { explainFunctionName, explainOtherResource } from './suggestions.ts';
import type { FoundTestEvent, TestEventSource, TestEventStore } from './test-event.ts';

const LONGEST_ENTRY_NAME = 100;
const NAME_RULE = `name must be one line of at most ${LONGEST_ENTRY_NAME} characters.`;

const isShortLine = (text: string): boolean => text.length <= LONGEST_ENTRY_NAME && !/\p{Cc}/u.test(text);

const LONGEST_REFERENCE = 256;
const LONGEST_NAME = 64;

const FORMS =
  'Give a name (my-function), a qualified name (my-function:PROD), an ARN (arn:aws:lambda:eu-west-1:123456789012:function:my-function) or a partial ARN (123456789012:function:my-function)';

/** Splits `function_name` into its parts, which the Invoke API takes unsplit. */
export function parseFunctionName(text: string, problems: Problems): FunctionReference | undefined {
  if (text === '') {
    problems.add(`function_name is required. ${FORMS}.`);
    return undefined;
  }
  const reference = splitFunctionName(text);
  if (reference === undefined || explainOtherResource(text) !== undefined) {
    const why = explainFunctionName(text) ?? 'it is neither a name nor an ARN';
    problems.add(`function_name ${quote(text)} is not valid: ${why}. ${FORMS}.`);
    return undefined;
  }
  const { name } = reference;
  if (text.length > LONGEST_REFERENCE || name.length > LONGEST_NAME) {
    problems.add(
      `function_name is too long: a name has at most ${LONGEST_NAME} characters and an ARN ${LONGEST_REFERENCE}; got ${name.length} and ${text.length}.`,
    );
    return undefined;
  }
  return reference;
}

/** The inputs of one entry, its own or inherited from the step, and where its own stand. */
export type EntrySource = Readonly<{
  read: InputReader;
  isOwn: (name: InputName) => boolean;
  /** How a message names the entry; absent where the step is the entry. */
  place?: string;
  /** The entry's own name. */
  name?: string;
}>;

/** An invocation that has no index yet, and what the user should know of it although nothing is wrong. */
export type Entry = Readonly<{
  invocation: Omit<Invocation, 'index'>;
  /** Where its own inputs stand. */
  place?: string;
  warnings: readonly string[];
  notes: readonly string[];
}>;

type InvocationParts = Readonly<{
  reference: FunctionReference;
  payload: Payload;
  clientContext: string | undefined;
  source: EntrySource;
}>;

/** What is an entry's own, beside what is sent for it. The step's expectations are not repeated in it. */
const ownParts = (values: EntryValues, { name, isOwn }: EntrySource) => ({
  ...(name !== undefined && { name }),
  ...(isOwn('expect') && { expect: linesOf(values.expect) }),
  ...(isOwn('timeout_seconds') && { timeoutMs: values.timeout_seconds }),
});

/** The values of an entry whose invocation type is decided. */
type SentValues = EntryValues & Readonly<{ invocation_type: InvocationType }>;

/** What is sent for an entry: without the inputs that its invocation type does not support. */
function invocationOf(values: SentValues, parts: InvocationParts): Entry['invocation'] {
  const { invocation_type: invocationType, qualifier, tenant_id: tenantId } = values;
  const { reference, payload, clientContext, source } = parts;
  const region = values.region ?? reference.region;
  const durableExecutionName = values.durable_execution_name;
  const isSynchronous = invocationType === 'RequestResponse';
  return {
    ...ownParts(values, source),
    functionName: values.function_name,
    reference: Object.freeze(reference),
    invocationType,
    logType: isSynchronous ? values.log_type : 'None',
    keepsLog: isSynchronous,
    payload: payload.bytes,
    ...(payload.http !== undefined && { http: payload.http }),
    ...(qualifier !== undefined && { qualifier }),
    ...(region !== undefined && { region }),
    ...(clientContext !== undefined && isSynchronous && { clientContext }),
    ...(tenantId !== undefined && { tenantId }),
    ...(durableExecutionName !== undefined && invocationType !== 'DryRun' && { durableExecutionName }),
  };
}

// Invoke's own default.
const DEFAULT_TYPE: InvocationType = 'RequestResponse';

/** Where the problems of inputs go: with the entry's place where one of them is its own. */
type ProblemsOf = Readonly<{ problemsFor: (...names: readonly InputName[]) => Problems }>;

const outsideNotes = ({ outsideFile }: Payload, { workspace }: JobFolders): string[] =>
  outsideFile === undefined
    ? []
    : [`payload_file is ${quote(outsideFile)}, outside the workspace ${quote(workspace)}.`];

/** What the entries of a step have in common. */
type ParserParts = Readonly<{
  folders: JobFolders;
  stamp: EventStamp;
  responseStream: boolean;
  /** Opens what reads test events; absent where the settings for it are wrong. */
  openTestEvents?: (() => Promise<TestEventStore>) | undefined;
}>;

/** Reads the entries of one step. What several of them inherit is read, and reported where it is wrong, once. */
export class EntryParser {
  readonly #folders: JobFolders;
  readonly #responseStream: boolean;
  readonly #openTestEvents: ParserParts['openTestEvents'];
  readonly #stamp: EventStamp;
  #testEvents: TestEventSource | undefined;
  readonly #problems: Problems;
  readonly #inherited = new Map<string, Promise<Payload | undefined>>();

  constructor(step: ParserParts, problems: Problems) {
    this.#folders = step.folders;
    this.#responseStream = step.responseStream;
    this.#stamp = step.stamp;
    this.#openTestEvents = step.openTestEvents;
    this.#problems = problems;
  }

  /** The step's payload is the same for all entries that inherit it with one invocation type and HTTP format. */
  #inheritedPayload(given: GivenPayload): Promise<Payload | undefined> {
    const kind = `${given.invocationType} ${given.httpEvent}`;
    const known = this.#inherited.get(kind);
    if (known) return known;
    const parsed = parsePayload(given, this.#problems);
    this.#inherited.set(kind, parsed);
    return parsed;
  }

  /** The test event that an entry names, where it alone says what is sent. */
  async #testEvent(
    values: EntryValues,
    reference: FunctionReference | undefined,
    problems: Problems,
  ): Promise<FoundTestEvent | undefined> {
    const { test_event: name, region } = values;
    const [only, ...others] = EVENT_INPUTS.filter((input) => values[input] !== '');
    const open = this.#openTestEvents;
    if (only !== 'test_event' || others.length > 0 || reference === undefined || open === undefined)
      return undefined;
    const { TestEventSource } = await import('./test-event.ts');
    this.#testEvents ??= new TestEventSource(open);
    return this.#testEvents.find(name, { reference, region }, problems);
  }

  /** What is sent for an entry. Undefined where there is a problem. */
  async #payload(
    values: SentValues,
    testEvent: FoundTestEvent | undefined,
    { isOwn, problemsFor }: Pick<EntrySource, 'isOwn'> & ProblemsOf,
  ): Promise<Payload | undefined> {
    const { payload, payload_file: payloadFile, http_request: httpRequest, http_event: httpEvent } = values;
    const invocationType = values.invocation_type;
    if (values.test_event !== '') {
      if (testEvent === undefined) return undefined;
      const { bytes } = testEvent;
      const problem = oversizeProblem({ source: 'test_event', bytes: bytes.length }, invocationType);
      if (problem === undefined) return { bytes, warnings: [] };
      problemsFor('test_event').add(problem);
      return undefined;
    }
    const text = { payload, payloadFile, httpRequest, httpEvent };
    const given = { ...text, folders: this.#folders, invocationType, stamp: this.#stamp };
    return EVENT_INPUTS.some(isOwn)
      ? parsePayload(given, problemsFor(...EVENT_INPUTS))
      : this.#inheritedPayload(given);
  }

  /** Closes what was opened for test events. */
  async close(): Promise<void> {
    await this.#testEvents?.close();
  }

  /** Reads one entry. Undefined where it can't be invoked, for problems that were found. */
  async parse(source: EntrySource): Promise<Entry | undefined> {
    const { read, isOwn, place, name } = source;
    const here = place === undefined ? this.#problems : this.#problems.at(place);
    const problemsFor = (...names: readonly InputName[]): Problems =>
      names.some(isOwn) ? here : this.#problems;

    if (name !== undefined && !isShortLine(name)) here.add(NAME_RULE);
    const reference = parseFunctionName(read('function_name'), problemsFor('function_name'));
    const values = parseInputs(ENTRY_INPUTS, { read, problemsFor });
    const testEvent = await this.#testEvent(values, reference, problemsFor('test_event'));
    const type = values.invocation_type ?? testEvent?.invocationType ?? DEFAULT_TYPE;
    const sent = { ...values, invocation_type: type };
    const facts = { ...sent, response_stream: this.#responseStream, reference };
    for (const { inputs, applies, message } of ENTRY_ERRORS) {
      if (applies(facts)) problemsFor(...inputs).add(message(facts));
    }
    const payload = await this.#payload(sent, testEvent, { isOwn, problemsFor });
    const clientContext = await parseClientContext(values.client_context, problemsFor('client_context'));
    if (!reference || !payload) return undefined;
    const at = (...names: readonly InputName[]): string =>
      place !== undefined && names.some(isOwn) ? `${place}: ` : '';
    const context = { text: values.client_context, input: 'client_context' } as const;
    const warnings = [
      ...payload.warnings.map((warning) => at(...EVENT_INPUTS) + warning),
      ...unevaluatedIn('client_context', context).map((warning) => at('client_context') + warning),
      ...ENTRY_WARNINGS.filter(({ applies }) => applies(facts)).map(({ message }) => message(facts)),
    ];
    return {
      invocation: invocationOf(sent, { reference, payload, clientContext, source }),
      ...(place !== undefined && { place }),
      warnings,
      notes: outsideNotes(payload, this.#folders),
    };
  }
}

/** One entry for each line of `function_name`; a single line is the step itself. */
function namedSources(names: readonly string[], step: InputReader): EntrySource[] {
  return names.map((functionName, at) => ({
    read: (name) => (name === 'function_name' ? functionName : step(name)),
    isOwn: (name) => names.length > 1 && name === 'function_name',
    ...(names.length > 1 && { place: `line ${at + 1}` }),
  }));
}

function listedSource({ values, number, line }: ListedEntry, step: InputReader): EntrySource {
  const isEvent = (name: InputName): boolean => EVENT_INPUTS.some((input) => input === name);
  const hasEvent = EVENT_INPUTS.some((name) => values[name] !== undefined);
  return {
    read: (name) => {
      // An entry's own event, whatever it comes from, replaces the step's.
      const isReplaced = hasEvent && isEvent(name);
      const own = isEntryInput(name) ? values[name] : undefined;
      return own ?? (isReplaced ? '' : step(name));
    },
    isOwn: (name) => isEntryInput(name) && values[name] !== undefined,
    ...(values.name !== undefined && { name: values.name }),
    place: `invocations, entry ${number} (line ${line})`,
  };
}

type StepInputs = Readonly<{
  read: InputReader;
  values: InputValues;
  folders: JobFolders;
  stamp: EventStamp;
  openTestEvents?: ParserParts['openTestEvents'];
}>;

async function findSources({ read, values }: StepInputs, problems: Problems): Promise<EntrySource[]> {
  const names = linesOf(values.function_name);
  if (values.invocations === '') return namedSources(names.length === 0 ? [''] : names, read);
  if (namesFunctionsTwice(values)) return [];
  const { parseInvocations } = await import('./invocations.ts');
  const listed = await parseInvocations(values.invocations, problems);
  return listed.map((entry) => listedSource(entry, read));
}

/** The invocations of a step, in the order of their entries, and what the user should know, each once. */
export type Entries = Readonly<{
  /** Empty where they are too many to be made. */
  invocations: readonly Invocation[];
  /** How many there are, and how many of them have a response. */
  counts: Readonly<{ total: number; responses: number }>;
  /** Entries with expectations of their own. */
  own: readonly OwnExpectations[];
  warnings: readonly string[];
  notes: readonly string[];
}>;

// How many environments started cold is known from the log tail alone, a stream's end may report no error, and
// CloudWatch may be late.
const READ_FOR_FIGURES = { logType: 'Tail', keepsLog: false } as const;

/** An entry of this shard, with its place among those of all shards. */
type PlacedEntry = Readonly<{ invocation: Entry['invocation']; at: number }>;

/** The copies of every entry. Their indexes are the same in all shards. */
function expandCopies(entries: readonly PlacedEntry[], values: InputValues): Invocation[] {
  const { repeat, retry, response_stream: responseStream, follow_log: followsLog } = values;
  // A function that supports no log tail has to be invoked a second time.
  const mayReadTail = retry !== 'never' && (repeat > 1 || responseStream || followsLog);
  return entries.flatMap(({ invocation, at }) => {
    const { invocationType, logType } = invocation;
    const readsTail = mayReadTail && invocationType === 'RequestResponse' && logType === 'None';
    return Array.from({ length: repeat }, (_, copy) =>
      Object.freeze({ ...invocation, ...(readsTail && READ_FOR_FIGURES), index: at * repeat + copy }),
    );
  });
}

/** Counts the copies, and makes them where they are few: 100,000 entries and repeat: 10000 would be a billion. */
function invocationsOf(
  entries: readonly Entry[],
  values: InputValues,
): Pick<Entries, 'invocations' | 'counts'> {
  const { repeat, shard } = values;
  const placed = entries
    .map(({ invocation }, at) => ({ invocation, at }))
    .filter(({ at }) => at % shard.total === shard.index);
  const withResponse = placed.filter(({ invocation }) => invocation.invocationType === 'RequestResponse');
  const counts = { total: placed.length * repeat, responses: withResponse.length * repeat };
  return { invocations: Object.freeze(isWithinLimit(counts) ? expandCopies(placed, values) : []), counts };
}

/** Reads all entries of a step; every problem of every entry goes into `problems`. */
export async function parseEntries(step: StepInputs, problems: Problems): Promise<Entries> {
  const { values, folders, stamp, openTestEvents } = step;
  const parser = new EntryParser(
    { folders, stamp, responseStream: values.response_stream, openTestEvents },
    problems,
  );
  const entries: Entry[] = [];
  try {
    for (const source of await findSources(step, problems)) {
      const entry = await parser.parse(source);
      if (entry !== undefined) entries.push(entry);
    }
  } finally {
    await parser.close();
  }
  return {
    ...invocationsOf(entries, values),
    own: entries.flatMap(({ invocation, place }) =>
      invocation.expect !== undefined && place !== undefined ? [{ place, invocation }] : [],
    ),
    warnings: Object.freeze(firstOf(entries.flatMap(({ warnings }) => warnings))),
    notes: Object.freeze([...new Set(entries.flatMap(({ notes }) => notes))]),
  };
}
