import { Buffer, isUtf8 } from 'node:buffer';
import { readFile, realpath, stat } from 'node:fs/promises';
import path from 'node:path';
import { grouped } from '../figures.ts';
import type { InvocationType } from '../lambda/invocation.ts';
import { describeJsonProblem, parseJson } from './json-text.ts';
import { type Problems, quote } from './problems.ts';

/** The inputs that an event comes from; no `invocationType` where that was not valid. */
export type GivenPayload = Readonly<{
  payload: string;
  payloadFile: string;
  workspace: string;
  invocationType: InvocationType | undefined;
}>;

/** The event's bytes, and the file they came from where it lies outside the workspace. */
export type Payload = Readonly<{ bytes: Uint8Array; outsideFile?: string }>;

// Source: Lambda quotas, synchronous and asynchronous payload; what a dry run takes is not said, so the larger.
const LARGEST: Readonly<Record<InvocationType, number>> = {
  RequestResponse: 6_291_456,
  Event: 1_048_576,
  DryRun: 6_291_456,
};

const BYTE_ORDER_MARK = Buffer.from([0xef, 0xbb, 0xbf]);

function isOutside(folder: string, file: string): boolean {
  const relative = path.relative(folder, file);
  return relative === '..' || relative.startsWith(`..${path.sep}`) || path.isAbsolute(relative);
}

const FILE_PROBLEMS = new Map([
  ['ENOENT', 'does not exist. Check the path, and that an earlier step made or checked out the file'],
  ['ENOTDIR', 'does not exist: a part of its path is a file'],
  ['EACCES', 'may not be read by this job'],
  ['ELOOP', 'is a symlink that leads back to itself'],
]);

/** A payload file, found; `source` is how messages name it. */
type Located = Readonly<{ real: string; size: number; source: string; outside: boolean }>;

async function locate(file: string, workspace: string, problems: Problems): Promise<Located | undefined> {
  const asked = path.resolve(workspace, file);
  const named = `payload_file ${quote(file)}${asked === file ? '' : ` (${quote(asked)})`}`;
  try {
    const real = await realpath(asked);
    const outside = isOutside(await realpath(workspace), real);
    const source = outside
      ? `payload_file ${quote(file)}, which is ${quote(real)} outside the workspace,`
      : named;
    const status = await stat(real);
    if (status.isFile()) {
      return { real, size: status.size, source: outside ? source : `payload_file ${quote(file)}`, outside };
    }
    const kind = status.isDirectory() ? 'a folder' : 'not a regular file';
    problems.add(`${source} is ${kind}. Name a file with the JSON event.`);
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown error';
    problems.add(`${named} ${FILE_PROBLEMS.get(code) ?? `can't be read (${code})`}.`);
  }
  return undefined;
}

/** The content without a byte order mark, which some editors write and Lambda does not take. */
async function readContent({ real }: Located): Promise<Buffer> {
  const content = await readFile(real);
  return content.subarray(0, BYTE_ORDER_MARK.length).equals(BYTE_ORDER_MARK)
    ? content.subarray(BYTE_ORDER_MARK.length)
    : content;
}

function isUtf16([first, second]: Uint8Array): boolean {
  return (first === 0xff && second === 0xfe) || (first === 0xfe && second === 0xff);
}

/** The bytes of an event, or what is wrong with them. */
async function checkBytes(
  source: string,
  bytes: Uint8Array,
): Promise<{ bytes: Uint8Array; problem?: never } | { problem: string; bytes?: never }> {
  if (!isUtf8(bytes)) {
    return {
      problem: `${source} is not UTF-8${isUtf16(bytes) ? ' but UTF-16' : ''}. Save it as UTF-8.`,
    };
  }
  const text = new TextDecoder().decode(bytes);
  if (text.trim() === '') return { problem: `${source} is empty. Write {} for an event without content.` };
  const { problem } = await parseJson(text);
  return problem ? { problem: `${source} is not valid JSON: ${describeJsonProblem(problem)}.` } : { bytes };
}

/** Finds the event in `payload` or `payload_file` and checks that it is JSON of a size that Lambda takes. */
export async function parsePayload(given: GivenPayload, problems: Problems): Promise<Payload | undefined> {
  const { payload, payloadFile, workspace, invocationType = 'RequestResponse' } = given;
  if (payload !== '' && payloadFile !== '') {
    problems.add('payload and payload_file are both given. Remove one of them.');
    return undefined;
  }
  if (payload === '' && payloadFile === '') {
    if (invocationType === 'DryRun') return { bytes: Buffer.from('{}') };
    problems.add(
      "payload is required: give the JSON event, '{}' where the function needs none, or payload_file. An expression that is empty counts as not given.",
    );
    return undefined;
  }

  const file = payload === '' ? await locate(payloadFile, workspace, problems) : undefined;
  if (payload === '' && file === undefined) return undefined;
  const source = file?.source ?? 'payload';
  const limit = LARGEST[invocationType];
  // A file far too large is not read to find that out.
  const isHuge = file !== undefined && file.size > limit + BYTE_ORDER_MARK.length;
  const content = file === undefined ? Buffer.from(payload) : isHuge ? undefined : await readContent(file);
  const size = content?.length ?? file?.size ?? 0;
  if (content === undefined || size > limit) {
    problems.add(
      `${source} is ${grouped(size)} bytes; Lambda takes at most ${grouped(limit)} for ${invocationType}. Put the data where the function can fetch it, for example in S3, and send its place.`,
    );
    return undefined;
  }
  const { bytes, problem } = await checkBytes(source, content);
  if (problem !== undefined) {
    problems.add(problem);
    return undefined;
  }
  return file?.outside ? { bytes, outsideFile: file.real } : { bytes };
}
