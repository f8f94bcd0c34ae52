import { Buffer, isUtf8 } from 'node:buffer';
import type { HttpEventFormat, Invocation, InvocationType } from '../lambda/invocation.ts';
import { grouped } from '../shared/text.ts';
import type { JobFolders } from './files.ts';
import type { EventStamp } from './http-event.ts';
import { describeJsonProblem, type JsonInput, parseJson, positionOf } from './json-text.ts';
import type { Problems } from './problems.ts';

/** Warns of an expression that stands in a text as it was written, which the function would get. */
export function unevaluatedIn(source: string, { text, input }: { text: string; input: JsonInput }): string[] {
  const offset = text.indexOf('${{');
  if (offset === -1) return [];
  const { line, column } = positionOf(text, offset);
  const why =
    input === 'payload_file'
      ? 'expressions are not evaluated in files'
      : 'an expression was passed on without being evaluated';
  return [`${source} contains "\${{" (line ${line}, column ${column}): ${why}. It is sent as it is.`];
}

/** Whether a text is JSON of an object or a list, and no other text. */
function holdsJson(text: string): boolean {
  if (!/^\s*[{[]/.test(text)) return false;
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

/** Warnings about an event that is JSON, but possibly not the intended one. */
export function warningsOf(
  source: string,
  event: Readonly<{ text: string; value: unknown; input: JsonInput }>,
): string[] {
  const isEncodedTwice = typeof event.value === 'string' && holdsJson(event.value);
  const fix = event.input === 'payload_file' ? '' : ' Where it was JSON already, remove toJSON().';
  return [
    ...unevaluatedIn(source, event),
    ...(isEncodedTwice
      ? [`${source} is a JSON string that holds JSON: the event may be encoded twice.${fix}`]
      : []),
  ];
}

const MOST_WARNINGS = 10;

/** The first warnings, each once, and how many more there are. */
export function firstOf(warnings: readonly string[]): string[] {
  const unique = [...new Set(warnings)];
  const more = unique.length - MOST_WARNINGS;
  return more > 0
    ? [...unique.slice(0, MOST_WARNINGS), `${more} more warnings about entries are not shown.`]
    : unique;
}

/** The inputs that an event comes from; where neither is given, the event is `{}`. */
export type GivenPayload = Readonly<{
  payload: string;
  payloadFile: string;
  httpRequest: string;
  httpEvent: HttpEventFormat;
  folders: JobFolders;
  stamp: EventStamp;
  invocationType: InvocationType;
}>;

/** The event's bytes, what may be wrong with them, and the file they came from where it lies outside the workspace. */
export type Payload = Readonly<{
  bytes: Uint8Array;
  warnings: readonly string[];
  outsideFile?: string;
  /** What they were made from, where that is an HTTP request. */
  http?: NonNullable<Invocation['http']>;
}>;

// Source: Lambda quotas, synchronous and asynchronous payload; what a dry run takes is not said, so the larger.
const LARGEST: Readonly<Record<InvocationType, number>> = {
  RequestResponse: 6_291_456,
  Event: 1_048_576,
  DryRun: 6_291_456,
};

function isUtf16([first, second]: Uint8Array): boolean {
  return (first === 0xff && second === 0xfe) || (first === 0xfe && second === 0xff);
}

/** Says that an event is too large for its invocation type; undefined where it is not. */
export function oversizeProblem(
  event: Readonly<{ source: string; bytes: number; size?: string }>,
  invocationType: InvocationType,
): string | undefined {
  const { source, bytes, size = `${grouped(bytes)} bytes` } = event;
  const limit = LARGEST[invocationType];
  if (bytes <= limit) return undefined;
  return `${source} is ${size}; Lambda takes at most ${grouped(limit)} for ${invocationType}. Put the data where the function can fetch it, for example in S3, and send its location.`;
}

type CheckedBytes = Readonly<{ problem: string } | { problem?: never; warnings: readonly string[] }>;

/** Checks that the bytes of an event are JSON, and that they read like what was meant. */
async function checkBytes(
  bytes: Uint8Array,
  { source, input }: { source: string; input: JsonInput },
): Promise<CheckedBytes> {
  if (!isUtf8(bytes)) {
    return {
      problem: `${source} is not UTF-8${isUtf16(bytes) ? ' but UTF-16' : ''}. Save it as UTF-8.`,
    };
  }
  const text = new TextDecoder().decode(bytes);
  if (text.trim() === '') return { problem: `${source} is empty. Write {} for an event without content.` };
  const { value, problem } = await parseJson(text, input);
  // The name of a file outside the workspace ends with a comma.
  const name = source.replace(/,$/, '');
  return problem
    ? { problem: describeJsonProblem(name, problem) }
    : { warnings: warningsOf(name, { text, value, input }) };
}

/** Finds the event in the inputs that can have it, and checks that it is JSON of a size that Lambda takes. */
export async function parsePayload(given: GivenPayload, problems: Problems): Promise<Payload | undefined> {
  const { payload, payloadFile, folders, invocationType } = given;
  if (given.httpRequest !== '') return (await import('./http-event.ts')).buildPayload(given, problems);
  if (payload === '' && payloadFile === '') return { bytes: Buffer.from('{}'), warnings: [] };
  const limit = LARGEST[invocationType];
  const file =
    payload === ''
      ? await (await import('./payload-file.ts')).readPayloadFile(
          { file: payloadFile, folders, limit },
          problems,
        )
      : undefined;
  if (payload === '' && file === undefined) return undefined;
  const bytes = file?.content ?? Buffer.from(payload);
  const source = file?.source ?? 'payload';
  const input = file === undefined ? 'payload' : 'payload_file';
  const size = file && { size: file.size };
  const tooLarge = oversizeProblem({ source, bytes: bytes.length, ...size }, invocationType);
  const checked = tooLarge === undefined ? await checkBytes(bytes, { source, input }) : { problem: tooLarge };
  if (checked.problem !== undefined) {
    problems.add(checked.problem);
    return undefined;
  }
  const { warnings } = checked;
  return { bytes, warnings, ...(file?.outsideFile !== undefined && { outsideFile: file.outsideFile }) };
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
  // A newline, as `base64` writes one after 76 characters, is an invalid header.
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
