import { Buffer, isUtf8 } from 'node:buffer';
import type { InvocationType } from '../lambda/invocation.ts';
import { grouped } from '../shared/figures.ts';
import { warningsOf } from './event-warnings.ts';
import type { JobFolders } from './folders.ts';
import { describeJsonProblem, type JsonInput, parseJson } from './json-text.ts';
import { readPayloadFile } from './payload-file.ts';
import type { Problems } from './problems.ts';

/** The inputs that an event comes from; no `invocationType` where that was not valid. */
export type GivenPayload = Readonly<{
  payload: string;
  payloadFile: string;
  folders: JobFolders;
  invocationType: InvocationType | undefined;
}>;

/** The event's bytes, what may be wrong with them, and the file they came from where it lies outside the workspace. */
export type Payload = Readonly<{ bytes: Uint8Array; warnings: readonly string[]; outsideFile?: string }>;

// Source: Lambda quotas, synchronous and asynchronous payload; what a dry run takes is not said, so the larger.
const LARGEST: Readonly<Record<InvocationType, number>> = {
  RequestResponse: 6_291_456,
  Event: 1_048_576,
  DryRun: 6_291_456,
};

function isUtf16([first, second]: Uint8Array): boolean {
  return (first === 0xff && second === 0xfe) || (first === 0xfe && second === 0xff);
}

/** The bytes of an event, or what is wrong with them. */
async function checkBytes({
  source,
  bytes,
  input,
}: {
  source: string;
  bytes: Uint8Array;
  input: JsonInput;
}): Promise<{ warnings: readonly string[]; problem?: never } | { problem: string; warnings?: never }> {
  if (!isUtf8(bytes)) {
    return {
      problem: `${source} is not UTF-8${isUtf16(bytes) ? ' but UTF-16' : ''}. Save it as UTF-8.`,
    };
  }
  const text = new TextDecoder().decode(bytes);
  if (text.trim() === '') return { problem: `${source} is empty. Write {} for an event without content.` };
  const { value, problem } = await parseJson(text, input);
  // The name of a file outside the workspace ends with a comma.
  const place = source.replace(/,$/, '');
  return problem
    ? { problem: describeJsonProblem(place, problem) }
    : { warnings: warningsOf(place, { text, value, input }) };
}

/** Finds the event in `payload` or `payload_file` and checks that it is JSON of a size that Lambda takes. */
export async function parsePayload(given: GivenPayload, problems: Problems): Promise<Payload | undefined> {
  const { payload, payloadFile, folders, invocationType = 'RequestResponse' } = given;
  if (payload !== '' && payloadFile !== '') {
    problems.add('payload and payload_file are both given. Remove one of them.');
    return undefined;
  }
  if (payload === '' && payloadFile === '') {
    if (invocationType === 'DryRun') return { bytes: Buffer.from('{}'), warnings: [] };
    problems.add(
      "payload is required: give the JSON event, '{}' where the function needs none, or payload_file. An expression that is empty counts as not given.",
    );
    return undefined;
  }

  const limit = LARGEST[invocationType];
  const file =
    payload === '' ? await readPayloadFile({ file: payloadFile, folders, limit }, problems) : undefined;
  if (payload === '' && file === undefined) return undefined;
  const content = file?.content ?? Buffer.from(payload);
  const source = file?.source ?? 'payload';
  if (content.length > limit) {
    const size = file?.size ?? `${grouped(content.length)} bytes`;
    problems.add(
      `${source} is ${size}; Lambda takes at most ${grouped(limit)} for ${invocationType}. Put the data where the function can fetch it, for example in S3, and send its place.`,
    );
    return undefined;
  }
  const input = file === undefined ? 'payload' : 'payload_file';
  const { warnings, problem } = await checkBytes({ source, bytes: content, input });
  if (problem !== undefined) {
    problems.add(problem);
    return undefined;
  }
  const { outsideFile } = file ?? {};
  return { bytes: content, warnings, ...(outsideFile !== undefined && { outsideFile }) };
}
