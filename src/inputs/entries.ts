import type { Invocation, Invocations, InvocationType } from '../lambda/invocation.ts';
import { type FunctionReference, splitFunctionName } from '../shared/arn.ts';
import type { OwnExpectations } from './expressions.ts';
import type { JobFolders } from './files.ts';
import type { EventStamp } from './http-event.ts';
import { linesOf, type Shard } from './input-types.ts';
import { InvocationList } from './invocation-list.ts';
import type { FileEntry } from './invocations-file.ts';
import {
  firstOf,
  type GivenPayload,
  type ListedPayload,
  oversizeProblem,
  type Payloads,
  parseClientContext,
  parsePayloads,
  unevaluatedIn,
} from './payload.ts';
import { type Problems, quote } from './problems.ts';
import { ENTRY_ERRORS, ENTRY_WARNINGS, type EntryRule, isWithinLimit, namesFunctionsTwice } from './rules.ts';
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
import type { StoredEvents } from './stored-events.ts';
import { explainFunctionName, explainOtherResource } from './suggestions.ts';
import type { FoundTestEvent, TestEventSource, TestEventStore } from './test-event.ts';

const LONGEST_ENTRY_NAME = 100;
const NAME_RULE = `name must be one line of at most ${LONGEST_ENTRY_NAME} characters.`;

const isShortLine = (text: string): boolean => text.length <= LONGEST_ENTRY_NAME && !/\p{Cc}/u.test(text);

const LONGEST_REFERENCE = 256;
const LONGEST_NAME = 64;

/** How many entries that lack an input are named. */
const MOST_NAMED_ENTRIES = 10;

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
    const why = explainFunctionName(text) ?? `it is neither a name nor an ARN. ${FORMS}`;
    problems.add(`function_name ${quote(text)} is not valid: ${why}.`);
    return undefined;
  }
  const { name } = reference;
  const isLongName = name.length > LONGEST_NAME;
  if (isLongName || text.length > LONGEST_REFERENCE) {
    const [what, length, most] = isLongName
      ? (['the name', name.length, LONGEST_NAME] as const)
      : (['it', text.length, LONGEST_REFERENCE] as const);
    problems.add(
      `function_name is too long: ${what} has ${length} characters, and can have at most ${most}.`,
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
  /** Whether it is in `invocations` or `invocations_file`. */
  isListed?: true;
  /** The entry's own name. */
  name?: string;
  /** Where its own payload stands, if that is in a file. */
  payload?: ListedPayload;
}>;

/** What is sent for an entry, one invocation for each of its events, and what the user should know of it. */
export type Entry = Readonly<{
  invocation: Omit<Invocation, 'index' | 'payload'>;
  events: Payloads['events'];
  /** Where its own inputs stand. */
  place?: string;
  warnings: readonly string[];
  notes: readonly string[];
}>;

type InvocationParts = Readonly<{
  reference: FunctionReference;
  /** The HTTP request that its event was made from. */
  http: Invocation['http'];
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
  const { reference, http, clientContext, source } = parts;
  const region = values.region ?? reference.region;
  const durableExecutionName = values.durable_execution_name;
  const isSynchronous = invocationType === 'RequestResponse';
  return {
    ...ownParts(values, source),
    functionName: values.function_name,
    reference,
    invocationType,
    logType: isSynchronous ? values.log_type : 'None',
    keepsLog: isSynchronous,
    ...(http !== undefined && { http }),
    ...(qualifier !== undefined && { qualifier }),
    ...(region !== undefined && { region }),
    ...(clientContext !== undefined && isSynchronous && { clientContext }),
    ...(tenantId !== undefined && { tenantId }),
    ...(durableExecutionName !== undefined && invocationType !== 'DryRun' && { durableExecutionName }),
  };
}

/** Lines for the log that name the files outside the workspace. */
const outsideNotes = (
  input: 'payload_file' | 'invocations_file',
  outsideFiles: readonly string[],
  { workspace }: JobFolders,
): string[] =>
  outsideFiles.map((file) => `${input} is ${quote(file)}, outside the workspace ${quote(workspace)}.`);

const SEVERAL_EVENTS =
  'durable_execution_name names one execution, and payload_file has several events. Give each event an entry of its own in invocations_file.';

// Invoke's own default.
const DEFAULT_TYPE: InvocationType = 'RequestResponse';

/** Where the problems of inputs go: with the entry's place where one of them is its own. */
type ProblemsOf = Readonly<{ problemsFor: (...names: readonly InputName[]) => Problems }>;

/** What the entries of a step have in common. */
type ParserParts = Readonly<{
  folders: JobFolders;
  stamp: EventStamp;
  /** The step's journal, which is in no list of events; '' where none is kept. */
  journal: string;
  responseStream: boolean;
  /** Opens what reads test events; absent where the settings for it are wrong. */
  openTestEvents?: (() => Promise<TestEventStore>) | undefined;
}>;

/** Reads the entries of one step. What several of them inherit is read, and reported where it is wrong, once. */
class EntryParser {
  readonly #step: ParserParts;
  readonly #problems: Problems;
  #testEvents: TestEventSource | undefined;
  #storedEvents: StoredEvents | undefined;
  /** How often a message has named an entry that lacks an input. */
  #namedEntries = 0;
  readonly #references = new Map<string, FunctionReference>();
  readonly #inherited = new Map<string, Promise<Payloads | undefined>>();

  constructor(step: ParserParts, problems: Problems) {
    this.#step = step;
    this.#problems = problems;
  }

  /** The step's payload is the same for all entries that inherit it with one invocation type and HTTP format. */
  #inheritedPayload(given: GivenPayload): Promise<Payloads | undefined> {
    const kind = `${given.invocationType} ${given.httpEvent}`;
    const known = this.#inherited.get(kind);
    if (known) return known;
    const parsed = parsePayloads(given, this.#problems);
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
    const open = this.#step.openTestEvents;
    if (only !== 'test_event' || others.length > 0 || reference === undefined || open === undefined)
      return undefined;
    const { TestEventSource } = await import('./test-event.ts');
    this.#testEvents ??= new TestEventSource(open);
    return this.#testEvents.find(name, { reference, region }, problems);
  }

  /** The events of all entries that stay in files. One list for all entries takes less memory than one for each. */
  async #stored(): Promise<StoredEvents> {
    const { StoredEvents } = await import('./stored-events.ts');
    this.#storedEvents ??= new StoredEvents();
    return this.#storedEvents;
  }

  /** Closes what was opened for test events. */
  async close(): Promise<void> {
    await this.#testEvents?.close();
  }

  /** Where the problem of an input goes that neither a listed entry nor the step sets. */
  #problemsOfMissing({ place, isListed }: EntrySource): Problems {
    if (!isListed || place === undefined || this.#namedEntries >= MOST_NAMED_ENTRIES) return this.#problems;
    this.#namedEntries += 1;
    return this.#problems.at(place);
  }

  /** One object for each function, however many entries name it. */
  #referenceTo(text: string, problems: Problems): FunctionReference | undefined {
    const known = this.#references.get(text);
    if (known !== undefined) return known;
    const reference = parseFunctionName(text, problems);
    if (reference !== undefined) this.#references.set(text, Object.freeze(reference));
    return reference;
  }

  /** The events that are sent for an entry. Undefined where there is a problem. */
  async #payloadsOf(
    values: SentValues,
    testEvent: FoundTestEvent | undefined,
    { isOwn, payload: listed, problemsFor }: Pick<EntrySource, 'isOwn' | 'payload'> & ProblemsOf,
  ): Promise<Payloads | undefined> {
    const invocationType = values.invocation_type;
    if (values.test_event !== '') {
      if (testEvent === undefined) return undefined;
      const { bytes } = testEvent;
      const problem = oversizeProblem({ source: 'test_event', bytes: bytes.length }, invocationType);
      if (problem === undefined) return { events: [bytes], warnings: [], outsideFiles: [] };
      problemsFor('test_event').add(problem);
      return undefined;
    }
    const { folders, journal, stamp } = this.#step;
    const given = {
      payload: values.payload,
      payloadFile: values.payload_file,
      httpRequest: values.http_request,
      httpEvent: values.http_event,
      isOwn: EVENT_INPUTS.some(isOwn),
      ...{ folders, journal, stamp, invocationType, storedEvents: () => this.#stored() },
      ...(listed && { listed }),
    };
    return given.isOwn ? parsePayloads(given, problemsFor(...EVENT_INPUTS)) : this.#inheritedPayload(given);
  }

  /** Checks the rules about one entry. */
  #checkRules(
    facts: Parameters<EntryRule['applies']>[0],
    { source, problemsFor }: Readonly<{ source: EntrySource }> & ProblemsOf,
  ): void {
    for (const { inputs, applies, message, isMissing } of ENTRY_ERRORS) {
      if (!applies(facts)) continue;
      const isInherited = isMissing && !inputs.some(source.isOwn);
      const problems = isInherited ? this.#problemsOfMissing(source) : problemsFor(...inputs);
      problems.add(message(facts));
    }
  }

  /** Reads one entry. Undefined where it can't be invoked, for problems that were found. */
  async parse(source: EntrySource): Promise<Entry | undefined> {
    const { read, isOwn, place, name } = source;
    const here = place === undefined ? this.#problems : this.#problems.at(place);
    const problemsFor = (...names: readonly InputName[]): Problems =>
      names.some(isOwn) ? here : this.#problems;

    if (name !== undefined && !isShortLine(name)) here.add(NAME_RULE);
    const functionName = read('function_name');
    const named = functionName === '' ? this.#problemsOfMissing(source) : problemsFor('function_name');
    const reference = this.#referenceTo(functionName, named);
    const values = parseInputs(ENTRY_INPUTS, { read, problemsFor });
    const testEvent = await this.#testEvent(values, reference, problemsFor('test_event'));
    const type = values.invocation_type ?? testEvent?.invocationType ?? DEFAULT_TYPE;
    const sent = { ...values, invocation_type: type };
    const facts = { ...sent, response_stream: this.#step.responseStream, reference };
    this.#checkRules(facts, { source, problemsFor });
    const payload = await this.#payloadsOf(sent, testEvent, { ...source, problemsFor });
    const clientContext = await parseClientContext(values.client_context, problemsFor('client_context'));
    if (!reference || !payload) return undefined;
    if (values.durable_execution_name !== undefined && payload.events.length > 1) {
      problemsFor('durable_execution_name', 'payload_file').add(SEVERAL_EVENTS);
    }
    const at = (...names: readonly InputName[]): string =>
      place !== undefined && names.some(isOwn) ? `${place}: ` : '';
    const context = { text: values.client_context, input: 'client_context' } as const;
    const warnings = [
      ...payload.warnings.map((warning) => at(...EVENT_INPUTS) + warning),
      ...unevaluatedIn('client_context', context).map((warning) => at('client_context') + warning),
      ...ENTRY_WARNINGS.filter(({ applies }) => applies(facts)).map(({ message }) => message(facts)),
    ];
    return {
      invocation: invocationOf(sent, { reference, http: payload.http, clientContext, source }),
      events: payload.events,
      ...(place !== undefined && { place }),
      warnings,
      notes: outsideNotes('payload_file', payload.outsideFiles, this.#step.folders),
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

function listedSource({ values, place, payload }: FileEntry, step: InputReader): EntrySource {
  const isEvent = (name: InputName): boolean => EVENT_INPUTS.some((input) => input === name);
  const hasEvent = EVENT_INPUTS.some((name) => values[name] !== undefined);
  return {
    read: (name) => {
      // An entry's own event, from any input, replaces the step's.
      const isReplaced = hasEvent && isEvent(name);
      const own = isEntryInput(name) ? values[name] : undefined;
      return own ?? (isReplaced ? '' : step(name));
    },
    isOwn: (name) => isEntryInput(name) && values[name] !== undefined,
    place,
    isListed: true,
    ...(values.name !== undefined && { name: values.name }),
    ...(payload && { payload }),
  };
}

type StepInputs = Readonly<{
  read: InputReader;
  values: InputValues;
  folders: JobFolders;
  stamp: EventStamp;
  openTestEvents?: ParserParts['openTestEvents'];
}>;

/** Finds the entries of a step, and hands on each before the next one is read. Returns notes about the list itself. */
async function eachSource(
  { read, values, folders }: StepInputs,
  problems: Problems,
  onSource: (source: EntrySource) => Promise<void>,
): Promise<readonly string[]> {
  const { function_name: functionNames, invocations, invocations_file: file } = values;
  if (namesFunctionsTwice(values)) return [];
  const onEntry = (entry: FileEntry): Promise<void> => onSource(listedSource(entry, read));
  if (invocations !== '') {
    const { parseInvocations } = await import('./invocations.ts');
    for (const { values: own, number, line } of await parseInvocations(invocations, problems)) {
      await onEntry({ values: own, place: `invocations, entry ${number} (line ${line})` });
    }
  } else if (file !== '') {
    const { readInvocationsFile } = await import('./invocations-file.ts');
    const outside = await readInvocationsFile(
      { input: 'invocations_file', file, folders },
      problems,
      onEntry,
    );
    return outsideNotes('invocations_file', outside, folders);
  } else {
    const names = linesOf(functionNames);
    for (const source of namedSources(names.length === 0 ? [''] : names, read)) await onSource(source);
  }
  return [];
}

/** The invocations of a step, in the order of their entries, and what the user should know, each once. */
export type Entries = Readonly<{
  /** Empty where they are too many to be made. */
  invocations: Invocations;
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

/** How many of `count` numbers from `from` on are the shard's. */
function countOfShard({ from, count }: { from: number; count: number }, { index, total }: Shard): number {
  const before = (end: number): number => Math.ceil((end - index) / total);
  return before(from + count) - before(from);
}

/** Collects the invocations of entries, as each is read: of 100,000 no more is kept than what is sent. */
class EntryList {
  readonly #values: InputValues;
  readonly #invocations = new InvocationList();
  readonly #counts = { total: 0, responses: 0 };
  readonly #own: OwnExpectations[] = [];
  readonly #warnings = new Set<string>();
  readonly #notes = new Set<string>();
  /** Events of all shards so far. */
  #events = 0;

  constructor(values: InputValues) {
    this.#values = values;
  }

  add(entry: Entry): void {
    const { invocation, events, place, warnings, notes } = entry;
    const { repeat, shard } = this.#values;
    const from = this.#events;
    this.#events += events.length;
    const copies = countOfShard({ from, count: events.length }, shard) * repeat;
    this.#counts.total += copies;
    if (invocation.invocationType === 'RequestResponse') this.#counts.responses += copies;
    // 100,000 entries and repeat: 10000 would be a billion.
    if (isWithinLimit(this.#counts)) this.#expand(entry, from);
    if (invocation.expect !== undefined && place !== undefined) this.#own.push({ place, invocation });
    for (const warning of warnings) this.#warnings.add(warning);
    for (const note of notes) this.#notes.add(note);
  }

  /** Adds the copies of every event of an entry. Their indexes are the same in all shards. */
  #expand({ invocation, events }: Entry, from: number): void {
    const { repeat, retry, response_stream: responseStream, follow_log: followsLog, shard } = this.#values;
    // A function that supports no log tail has to be invoked a second time.
    const mayReadTail = retry !== 'never' && (repeat > 1 || responseStream || followsLog);
    const readsTail =
      mayReadTail && invocation.invocationType === 'RequestResponse' && invocation.logType === 'None';
    const sent = { ...invocation, ...(readsTail && READ_FOR_FIGURES) };
    for (const [number, payload] of events.entries()) {
      const at = from + number;
      if (at % shard.total !== shard.index) continue;
      for (let copy = 0; copy < repeat; copy += 1) {
        this.#invocations.add(sent, { payload, index: at * repeat + copy });
      }
    }
  }

  /** All that was collected. There are no invocations where they are too many. */
  end(notes: readonly string[]): Entries {
    return {
      invocations: Object.freeze(isWithinLimit(this.#counts) ? this.#invocations : []),
      counts: this.#counts,
      own: this.#own,
      warnings: Object.freeze(firstOf([...this.#warnings])),
      notes: Object.freeze([...notes, ...this.#notes]),
    };
  }
}

/** Reads all entries of a step; every problem of every entry goes into `problems`. */
export async function parseEntries(step: StepInputs, problems: Problems): Promise<Entries> {
  const { values, folders, stamp, openTestEvents } = step;
  const { response_stream: responseStream, journal } = values;
  const parser = new EntryParser({ folders, responseStream, journal, stamp, openTestEvents }, problems);
  const entries = new EntryList(values);
  try {
    const notes = await eachSource(step, problems, async (source) => {
      const entry = await parser.parse(source);
      if (entry !== undefined) entries.add(entry);
    });
    return entries.end(notes);
  } finally {
    await parser.close();
  }
}
