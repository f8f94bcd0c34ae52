import { Buffer, isUtf8 } from 'node:buffer';
import type { InvocationType } from '../lambda/invocation.ts';
import { grouped } from '../shared/figures.ts';
import type { JobFolders } from './files.ts';
import { describeJsonProblem, parseJson } from './json-text.ts';
import { readPayloadFile } from './payload-file.ts';
import type { Problems } from './problems.ts';

/** The inputs that an event comes from; where neither is given, the event is `{}`. */
export type GivenPayload = Readonly<{
  payload: string;
  payloadFile: string;
  folders: JobFolders;
  invocationType: InvocationType;
}>;

/** The event's bytes, and the file they came from where it lies outside the workspace. */
export type Payload = Readonly<{ bytes: Uint8Array; outsideFile?: string }>;

// Source: Lambda quotas, synchronous and asynchronous payload; what a dry run takes is not said, so the larger.
const LARGEST: Readonly<Record<InvocationType, number>> = {
  RequestResponse: 6_291_456,
  Event: 1_048_576,
  DryRun: 6_291_456,
};

function isUtf16([first, second]: Uint8Array): boolean {
  return (first === 0xff && second === 0xfe) || (first === 0xfe && second === 0xff);
}

/** What is wrong with the bytes of an event; undefined where they are JSON. */
async function problemIn(bytes: Uint8Array, source: string): Promise<string | undefined> {
  if (!isUtf8(bytes))
    return `${source} is not UTF-8${isUtf16(bytes) ? ' but UTF-16' : ''}. Save it as UTF-8.`;
  const text = new TextDecoder().decode(bytes);
  if (text.trim() === '') return `${source} is empty. Write {} for an event without content.`;
  const { problem } = await parseJson(text);
  return problem && `${source} is not valid JSON: ${describeJsonProblem(problem)}.`;
}

/** Finds the event in `payload` or `payload_file` and checks that it is JSON of a size that Lambda takes. */
export async function parsePayload(given: GivenPayload, problems: Problems): Promise<Payload | undefined> {
  const { payload, payloadFile, folders, invocationType } = given;
  if (payload === '' && payloadFile === '') return { bytes: Buffer.from('{}') };
  const limit = LARGEST[invocationType];
  const file =
    payload === '' ? await readPayloadFile({ file: payloadFile, folders, limit }, problems) : undefined;
  if (payload === '' && file === undefined) return undefined;
  const bytes = file?.content ?? Buffer.from(payload);
  const source = file?.source ?? 'payload';
  const size = file?.size ?? `${grouped(bytes.length)} bytes`;
  const problem =
    bytes.length > limit
      ? `${source} is ${size}; Lambda takes at most ${grouped(limit)} for ${invocationType}. Put the data where the function can fetch it, for example in S3, and send its place.`
      : await problemIn(bytes, source);
  if (problem !== undefined) {
    problems.add(problem);
    return undefined;
  }
  return { bytes, ...(file?.outsideFile !== undefined && { outsideFile: file.outsideFile }) };
}

// Source: the Invoke API's ClientContext, "up to 3,583 bytes of base64-encoded data".
const LONGEST_CLIENT_CONTEXT = 3583;
const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

async function encode(text: string, problems: Problems): Promise<string | undefined> {
  if (text.startsWith('{')) {
    const { problem } = await parseJson(text);
    if (problem) problems.add(`client_context is not valid JSON: ${describeJsonProblem(problem)}.`);
    return problem ? undefined : Buffer.from(text, 'utf8').toString('base64');
  }
  // A newline, as `base64` writes one after 76 characters, is an invalid header.
  const compact = text.replace(/\s+/g, '');
  const decoded = BASE64.test(compact) ? Buffer.from(compact, 'base64').toString('utf8') : '';
  if (decoded === '' || (await parseJson(decoded)).problem) {
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
