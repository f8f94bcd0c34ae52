import { Buffer, isUtf8 } from 'node:buffer';
import { readFile, realpath, stat } from 'node:fs/promises';
import path from 'node:path';
import type { InvocationType } from '../lambda/invocation.ts';
import { describeJsonProblem, parseJson } from './json-text.ts';
import { type Problems, quote } from './problems.ts';

/** The event's bytes, and the file they came from where it lies outside the workspace. */
export type Payload = Readonly<{ bytes: Uint8Array; outsideFile?: string }>;

// Source: Lambda quotas, synchronous and asynchronous payload; what a dry run takes is not said, so the larger.
const LARGEST: Readonly<Record<InvocationType, number>> = {
  RequestResponse: 6_291_456,
  Event: 1_048_576,
  DryRun: 6_291_456,
};

const BYTE_ORDER_MARK = Buffer.from([0xef, 0xbb, 0xbf]);
const group = (count: number): string => count.toLocaleString('en-US');

function isOutside(folder: string, file: string): boolean {
  const relative = path.relative(folder, file);
  return relative === '..' || relative.startsWith(`..${path.sep}`) || path.isAbsolute(relative);
}

const FILE_PROBLEMS: Readonly<Record<string, string>> = {
  ENOENT: 'does not exist. Is there a checkout or a download step before this one?',
  ENOTDIR: 'does not exist: a part of its path is a file',
  EACCES: 'may not be read by this job',
  ELOOP: 'is a symlink that leads back to itself',
};

async function readPayloadFile(
  file: string,
  workspace: string,
  problems: Problems,
): Promise<Payload | undefined> {
  const asked = path.resolve(workspace, file);
  const named = quote(file) + (asked === file ? '' : ` (${asked})`);
  try {
    const real = await realpath(asked);
    const outside = isOutside(await realpath(workspace), real);
    const place = outside
      ? `payload_file ${quote(file)}, which is ${real} outside the workspace,`
      : `payload_file ${named}`;
    const status = await stat(real);
    if (!status.isFile()) {
      problems.add(
        `${place} is ${status.isDirectory() ? 'a folder' : 'not a regular file'}. Name a file with the JSON event.`,
      );
      return undefined;
    }
    const content = await readFile(real);
    const bytes = content.subarray(0, 3).equals(BYTE_ORDER_MARK) ? content.subarray(3) : content;
    if (bytes.toString('latin1', 0, 1024).trim() === '' && bytes.toString('utf8').trim() === '') {
      problems.add(`${place} is empty. Write {} for an event without content.`);
      return undefined;
    }
    if (!isUtf8(bytes)) {
      const utf16 = (bytes[0] === 0xff && bytes[1] === 0xfe) || (bytes[0] === 0xfe && bytes[1] === 0xff);
      problems.add(`${place} is not UTF-8${utf16 ? ' but UTF-16' : ''}. Save it as UTF-8.`);
      return undefined;
    }
    return outside ? { bytes, outsideFile: real } : { bytes };
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : String(error);
    problems.add(`payload_file ${named} ${FILE_PROBLEMS[code] ?? `can't be read (${code})`}.`);
    return undefined;
  }
}

/** Finds the event in `payload` or `payload_file` and checks that it is JSON of a size that Lambda takes. */
export async function parsePayload(
  given: {
    payload: string;
    payloadFile: string;
    workspace: string;
    invocationType: InvocationType | undefined;
  },
  problems: Problems,
): Promise<Payload | undefined> {
  if (given.payload !== '' && given.payloadFile !== '') {
    problems.add('payload and payload_file are both given. Remove one of them.');
    return undefined;
  }
  if (given.payload === '' && given.payloadFile === '') {
    if (given.invocationType === 'DryRun') return { bytes: Buffer.from('{}') };
    problems.add(
      "payload is required: give the JSON event, '{}' where the function needs none, or payload_file. An expression that is empty counts as not given.",
    );
    return undefined;
  }
  const payload =
    given.payload === ''
      ? await readPayloadFile(given.payloadFile, given.workspace, problems)
      : { bytes: Buffer.from(given.payload, 'utf8') };
  if (payload === undefined) return undefined;

  const source = given.payload === '' ? `payload_file ${quote(given.payloadFile)}` : 'payload';
  const limit = LARGEST[given.invocationType ?? 'RequestResponse'];
  if (payload.bytes.length > limit) {
    problems.add(
      `${source} is ${group(payload.bytes.length)} bytes; Lambda takes at most ${group(limit)} for ${given.invocationType ?? 'RequestResponse'}. Put the data where the function can fetch it, for example in S3, and send its place.`,
    );
    return undefined;
  }
  const { problem } = await parseJson(Buffer.from(payload.bytes).toString('utf8'));
  if (problem) {
    problems.add(`${source} is not valid JSON: ${describeJsonProblem(problem)}.`);
    return undefined;
  }
  return payload;
}
