import { Buffer, isUtf8 } from 'node:buffer';
import type { HttpEventFormat, Invocation, InvocationType } from '../lambda/invocation.ts';
import { grouped } from '../shared/text.ts';
import type { JobFolders } from './files.ts';
import type { EventStamp } from './http-event.ts';
import { describeJsonProblem, isFileInput, type JsonInput, parseJson, positionOf } from './json-text.ts';
import type { Problems } from './problems.ts';
import type { EventPlace, StoredEvents } from './stored-events.ts';

/** Warns about an expression that was not evaluated and is sent to the function as it is. */
export function unevaluatedIn(
  source: string,
  { text, input, isLine = false }: Readonly<{ text: string; input: JsonInput; isLine?: boolean }>,
): string[] {
  const offset = text.indexOf('${{');
  if (offset === -1) return [];
  const { line, column } = positionOf(text, offset);
  const why = isFileInput(input)
    ? 'expressions are not evaluated in files'
    : 'an expression was passed on without being evaluated';
  return [
    `${source} contains "\${{" (${isLine ? '' : `line ${line}, `}column ${column}): ${why}. It is sent as it is.`,
  ];
}

/** Whether a text is a JSON object or list. */
function isJsonDocument(text: string): boolean {
  if (!/^\s*[{[]/.test(text)) return false;
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

/** Warnings about an event that is valid JSON, but probably not what was meant. */
export function warningsOf(
  source: string,
  event: Readonly<{ text: string; value: unknown; input: JsonInput; isLine?: boolean }>,
): string[] {
  const isEncodedTwice = typeof event.value === 'string' && isJsonDocument(event.value);
  const fix = isFileInput(event.input) ? '' : ' If the value is already JSON, remove toJSON().';
  return [
    ...unevaluatedIn(source, event),
    ...(isEncodedTwice
      ? [`${source} is a JSON string that contains JSON: the event may be encoded twice.${fix}`]
      : []),
  ];
}

// With the line that counts the others, as many as a runner keeps of a step.
const MOST_WARNINGS = 9;

/** The first warnings, without duplicates, and the number of the others. */
export function firstOf(warnings: readonly string[]): string[] {
  const unique = [...new Set(warnings)];
  const more = unique.length - MOST_WARNINGS;
  if (more <= 0) return unique;
  const rest = more === 1 ? '1 more warning about an entry is' : `${more} more warnings about entries are`;
  return [...unique.slice(0, MOST_WARNINGS), `${rest} not shown.`];
}

/**
 * The place of an event inside a file. `json` has its bytes if they were read as JSON; they are valid until the next
 * event is read.
 */
export type ListedPayload = Readonly<{ place: EventPlace; json?: Uint8Array }>;

/** The inputs that events come from. If neither is given, the event is `{}`. */
export type GivenPayload = Readonly<{
  payload: string;
  /** The place of `payload` in an entry of a file. */
  listed?: ListedPayload;
  payloadFile: string;
  httpRequest: string;
  httpEvent: HttpEventFormat;
  /** Whether the payload is the entry's own. Thousands of entries may have one. */
  isOwn: boolean;
  folders: JobFolders;
  /** The step's journal, which is never read as a list of events; '' if the step has none. */
  journal: string;
  stamp: EventStamp;
  invocationType: InvocationType;
  /** Keeps the events of the step that stay in their files. */
  storedEvents: () => Promise<StoredEvents>;
}>;

/** The events, with warnings, and their files that are outside the workspace. */
export type Payloads = Readonly<{
  events: readonly Invocation['payload'][];
  warnings: readonly string[];
  outsideFiles: readonly string[];
  /** The HTTP request that the event was made from, if it was. */
  http?: NonNullable<Invocation['http']>;
}>;

// Source: Lambda quotas, synchronous and asynchronous payload. There is no quota for dry runs, so the larger one is
// used.
const LARGEST: Readonly<Record<InvocationType, number>> = {
  RequestResponse: 6_291_456,
  Event: 1_048_576,
  DryRun: 6_291_456,
};

/** The largest event that Lambda accepts, in bytes. */
export const largestEvent = (invocationType: InvocationType): number => LARGEST[invocationType];

/** The problem of an event that is too large, and how to send its data nevertheless. */
export const tooLarge = (source: string, size: string, invocationType: InvocationType): string =>
  `${source} is ${size}; Lambda takes at most ${grouped(LARGEST[invocationType])} for ${invocationType}. Put the data where the function can fetch it, for example in S3, and send its location.`;

/** The problem of an event that is too large for its invocation type; undefined if it is not. */
export const oversizeProblem = (
  { source, bytes }: Readonly<{ source: string; bytes: number }>,
  invocationType: InvocationType,
): string | undefined =>
  bytes <= LARGEST[invocationType] ? undefined : tooLarge(source, `${grouped(bytes)} bytes`, invocationType);

/** Whether bytes begin with a byte order mark of UTF-16. */
export function isUtf16([first, second]: Uint8Array): boolean {
  return (first === 0xff && second === 0xfe) || (first === 0xfe && second === 0xff);
}

/** The bytes of an event, and how messages name them. */
type EventBytes = Readonly<{
  bytes: Uint8Array;
  source: string;
  input: JsonInput;
  /** The number of the line, if the bytes are a line of a file. */
  line?: number;
}>;

/** The problem of an event, or its warnings. */
export type CheckedBytes = Readonly<{ problem: string } | { problem?: never; warnings: readonly string[] }>;

/** Checks that the bytes of an event are JSON, and that they look like what was meant. */
export async function checkBytes({ bytes, source, input, line }: EventBytes): Promise<CheckedBytes> {
  // The name of a file outside the workspace ends with a comma.
  const file = source.replace(/,$/, '');
  const name = line === undefined ? file : `${file}, line ${line}`;
  if (!isUtf8(bytes)) {
    return {
      problem: `${line === undefined ? source : name} is not UTF-8${isUtf16(bytes) ? ' but UTF-16' : ''}. Save it as UTF-8.`,
    };
  }
  const text = new TextDecoder().decode(bytes);
  if (text.trim() === '') return { problem: `${source} is empty. Write {} for an event without content.` };
  const { value, problem } = await parseJson(text, input);
  if (problem === undefined)
    return { warnings: warningsOf(name, { text, value, input, isLine: line !== undefined }) };
  const first = (line ?? 1) - 1;
  return { problem: describeJsonProblem(file, { ...problem, line: first + problem.line }) };
}

/** Checks `payload`, from the input or from an entry. */
async function parseText(
  { payload, listed, invocationType, storedEvents }: GivenPayload,
  problems: Problems,
): Promise<Payloads | undefined> {
  const bytes = listed?.json ?? Buffer.from(payload);
  const problem = oversizeProblem({ source: 'payload', bytes: bytes.length }, invocationType);
  const checked: CheckedBytes =
    problem !== undefined
      ? { problem }
      : listed?.json
        ? { warnings: unevaluatedIn('payload', { text: payload, input: 'invocations_file' }) }
        : await checkBytes({ bytes, source: 'payload', input: 'payload' });
  if (checked.problem !== undefined) {
    problems.add(checked.problem);
    return undefined;
  }
  const event = listed === undefined ? bytes : (await storedEvents()).add(listed.place, bytes);
  return { events: [event], warnings: checked.warnings, outsideFiles: [] };
}

/** Finds the events in the inputs, and checks that each is JSON and not larger than Lambda accepts. */
export async function parsePayloads(given: GivenPayload, problems: Problems): Promise<Payloads | undefined> {
  if (given.httpRequest !== '') return (await import('./http-event.ts')).buildPayload(given, problems);
  if (given.payload !== '') return parseText(given, problems);
  if (given.payloadFile === '') return { events: [Buffer.from('{}')], warnings: [], outsideFiles: [] };
  return (await import('./payload-file.ts')).readPayloadFiles(given, problems);
}

// Source: the Invoke API's ClientContext, "up to 3,583 bytes of base64-encoded data".
const LONGEST_CLIENT_CONTEXT = 3583;
const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

async function encode(text: string, problems: Problems): Promise<string | undefined> {
  if (text.startsWith('{')) {
    const { problem } = await parseJson(text, 'client_context');
    if (problem) problems.add(describeJsonProblem('client_context', problem));
    return problem ? undefined : Buffer.from(text, 'utf8').toString('base64');
  }
  // `base64` writes a newline after 76 characters, which is not valid in a header.
  const compact = text.replace(/\s+/g, '');
  const decoded = BASE64.test(compact) ? Buffer.from(compact, 'base64').toString('utf8') : '';
  if (decoded === '' || (await parseJson(decoded, 'client_context')).problem) {
    problems.add(
      'client_context must be a JSON object, which the action encodes, or base64 of a JSON document; it is neither.',
    );
    return undefined;
  }
  return compact;
}

/** Base64 of the client context: as given, or made from a JSON object. */
export async function parseClientContext(text: string, problems: Problems): Promise<string | undefined> {
  if (text === '') return undefined;
  const encoded = await encode(text, problems);
  if (encoded === undefined || encoded.length <= LONGEST_CLIENT_CONTEXT) return encoded;
  problems.add(
    `client_context is ${encoded.length} bytes in base64; Lambda takes at most ${LONGEST_CLIENT_CONTEXT}. Send less, or use the payload.`,
  );
  return undefined;
}
