import type { Invocation } from '../lambda/invocation.ts';
import { type Entry, EntryParser, type EntrySource } from './entry.ts';
import { firstOf } from './event-warnings.ts';
import type { JobFolders } from './files.ts';
import type { ListedEntry } from './invocations.ts';
import { linesOf } from './lines.ts';
import type { Problems } from './problems.ts';
import { isWithinLimit, namesFunctionsTwice } from './rules.ts';
import type { InputReader, InputValues } from './schema.ts';

/** One entry for each line of `function_name`; a single line is the step itself. */
function namedSources(names: readonly string[], step: InputReader): EntrySource[] {
  return names.map((functionName, at) => ({
    read: (name) => (name === 'function_name' ? functionName : step(name)),
    isOwn: (name) => names.length > 1 && name === 'function_name',
    ...(names.length > 1 && { place: `line ${at + 1}` }),
  }));
}

function listedSource({ values, number, line }: ListedEntry, step: InputReader): EntrySource {
  const hasPayload = values.payload !== undefined || values.payload_file !== undefined;
  return {
    read: (name) => {
      // An entry's own payload, of either kind, replaces the step's.
      const isReplaced = hasPayload && (name === 'payload' || name === 'payload_file');
      return values[name] ?? (isReplaced ? '' : step(name));
    },
    isOwn: (name) => values[name] !== undefined,
    place: `invocations, entry ${number} (line ${line})`,
  };
}

type StepInputs = Readonly<{ read: InputReader; values: InputValues; folders: JobFolders }>;

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
  warnings: readonly string[];
  notes: readonly string[];
}>;

// How many environments started cold is known from the log tail alone; and a stream's end may report no error.
const READ_FOR_FIGURES = { logType: 'Tail', keepsLog: false } as const;

/** An entry of this shard, with its place among those of all shards. */
type PlacedEntry = Readonly<{ invocation: Entry['invocation']; at: number }>;

/** The copies of every entry. Their indexes are the same in all shards. */
function expandCopies(entries: readonly PlacedEntry[], values: InputValues): Invocation[] {
  const { repeat, retry, response_stream: responseStream } = values;
  // A function that supports no log tail has to be invoked a second time.
  const mayReadTail = retry !== 'never' && (repeat > 1 || responseStream);
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
  const { values, folders } = step;
  const parser = new EntryParser({ folders, responseStream: values.response_stream }, problems);
  const entries: Entry[] = [];
  for (const source of await findSources(step, problems)) {
    const entry = await parser.parse(source);
    if (entry !== undefined) entries.push(entry);
  }
  return {
    ...invocationsOf(entries, values),
    warnings: Object.freeze(firstOf(entries.flatMap(({ warnings }) => warnings))),
    notes: Object.freeze([...new Set(entries.flatMap(({ notes }) => notes))]),
  };
}
