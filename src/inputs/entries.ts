import type { Invocation } from '../lambda/invocation.ts';
import { grouped } from '../shared/figures.ts';
import { type Entry, EntryParser, type EntrySource } from './entry.ts';
import { firstOf } from './event-warnings.ts';
import type { JobFolders } from './folders.ts';
import { ENTRY_INPUTS, type ListedEntry, parseInvocations } from './invocations.ts';
import { linesOf } from './lines.ts';
import type { Shard } from './numbers.ts';
import type { Problems } from './problems.ts';
import type { InputName, InputReader } from './schema.ts';

/** One entry a line of `function_name`; a single line is the step itself. */
function namedSources(names: readonly string[], step: InputReader): EntrySource[] {
  return names.map((functionName, at) => ({
    read: (name) => (name === 'function_name' ? functionName : step(name)),
    isOwn: (name) => names.length > 1 && name === 'function_name',
    ...(names.length > 1 && { place: `line ${at + 1}` }),
  }));
}

const isEntryInput = (name: InputName): name is (typeof ENTRY_INPUTS)[number] =>
  ENTRY_INPUTS.some((known) => known === name);

function listedSource({ values, number, line }: ListedEntry, step: InputReader): EntrySource {
  const own = (name: InputName): string | undefined => (isEntryInput(name) ? values[name] : undefined);
  const hasPayload = values.payload !== undefined || values.payload_file !== undefined;
  return {
    read: (name) => {
      // An entry's own payload, of either kind, stands in place of the step's.
      const isReplaced = hasPayload && (name === 'payload' || name === 'payload_file');
      return own(name) ?? (isReplaced ? '' : step(name));
    },
    isOwn: (name) => own(name) !== undefined,
    place: `invocations, entry ${number} (line ${line})`,
  };
}

async function findSources(step: InputReader, problems: Problems): Promise<EntrySource[]> {
  const names = linesOf(step('function_name'));
  const list = step('invocations');
  if (list === '') return namedSources(names.length === 0 ? [''] : names, step);
  if (names.length > 1) {
    problems.add(
      'function_name has several lines and invocations is given too. Name the functions in one of them.',
    );
    return [];
  }
  const listed = await parseInvocations(list, problems);
  return listed.map((entry) => listedSource(entry, step));
}

/** The invocations of a step, in the order of their entries, and what to tell the user once. */
export type Entries = Readonly<{
  /** Empty where they are too many to be made. */
  invocations: readonly Invocation[];
  /** How many there are, and how many of them have a response. */
  counts: Readonly<{ total: number; responses: number }>;
  warnings: readonly string[];
  notes: readonly string[];
}>;

// How many environments started cold is known from the log tail alone; and a stream's end may tell of no error.
const READ_FOR_FIGURES = { logType: 'Tail', keepsLog: false } as const;

/** How entries become invocations. A function that supports no log tail has to be asked twice. */
export type Numbering = Readonly<{
  repeat: number;
  shard: Shard;
  mayAskTwice: boolean;
  responseStream: boolean;
}>;

const MOST_INVOCATIONS = 100_000;

/** An entry of this shard, with its place among those of all shards. */
type Taken = Readonly<{ invocation: Entry['invocation']; at: number }>;

/** Numbers the copies of every entry. Numbers are the same in all shards. */
function number(taken: readonly Taken[], numbering: Numbering): Invocation[] {
  const { repeat, mayAskTwice, responseStream } = numbering;
  return taken.flatMap(({ invocation, at }) => {
    const isWanted = repeat > 1 || responseStream;
    const readsTail = isWanted && mayAskTwice && invocation.invocationType === 'RequestResponse';
    const forCopies = readsTail && invocation.logType === 'None' ? READ_FOR_FIGURES : {};
    return Array.from({ length: repeat }, (_, copy) =>
      Object.freeze({ ...invocation, ...forCopies, index: at * repeat + copy }),
    );
  });
}

/** Makes the copies, where they are not too many: a list of 100,000 and repeat: 10000 would be a billion. */
function expand(
  entries: readonly Entry[],
  numbering: Numbering,
  problems: Problems,
): Pick<Entries, 'invocations' | 'counts'> {
  const { repeat, shard } = numbering;
  const taken = entries
    .map(({ invocation }, at) => ({ invocation, at }))
    .filter(({ at }) => at % shard.total === shard.index);
  const withResponse = taken.filter(({ invocation }) => invocation.invocationType === 'RequestResponse');
  const counts = { total: taken.length * repeat, responses: withResponse.length * repeat };
  if (counts.total <= MOST_INVOCATIONS) {
    return { invocations: Object.freeze(number(taken, numbering)), counts };
  }
  problems.add(
    `This step has ${grouped(counts.total)} invocations; the limit is ${grouped(MOST_INVOCATIONS)}. Split them between jobs with shard, or lower repeat.`,
  );
  return { invocations: [], counts };
}

/** Reads all entries of a step; every problem of every entry goes into `problems`. */
export async function parseEntries(
  step: InputReader,
  given: Numbering & { folders: JobFolders },
  problems: Problems,
): Promise<Entries> {
  const parser = new EntryParser(given, problems);
  const entries: Entry[] = [];
  for (const source of await findSources(step, problems)) {
    const entry = await parser.parse(source);
    if (entry !== undefined) entries.push(entry);
  }
  return {
    ...expand(entries, given, problems),
    warnings: Object.freeze(firstOf(entries.flatMap(({ warnings }) => warnings))),
    notes: Object.freeze([...new Set(entries.flatMap(({ notes }) => notes))]),
  };
}
