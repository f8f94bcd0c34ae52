import { Buffer } from 'node:buffer';
import { constants } from 'node:fs';
import { type FileHandle, open, realpath } from 'node:fs/promises';
import path from 'node:path';
import { grouped } from '../shared/text.ts';
import { irregularKind, type JobFolders, placeOf } from './files.ts';
import { type Problems, quote } from './problems.ts';

/** What a payload_file holds, its size in words, and how messages name it. */
export type PayloadFile = Readonly<{
  /** Without a byte order mark, and cut where it is longer than what Lambda takes. */
  content: Buffer;
  size: string;
  source: string;
  /** The real path, where that is outside the workspace. */
  outsideFile?: string;
}>;

const FILE_PROBLEMS = new Map([
  ['ENOENT', 'does not exist. Check the path, and that an earlier step made or checked out the file'],
  ['ENOTDIR', 'does not exist: a part of its path is a file'],
  ['EACCES', 'cannot be read: permission denied'],
  ['ELOOP', 'is a symlink that leads back to itself'],
  // A socket can't be opened.
  ['ENXIO', 'is not a regular file. Name a file with the JSON event'],
  ['EAGAIN', 'cannot be read to its end without waiting. Name a file with the JSON event'],
]);

const BYTE_ORDER_MARK = Buffer.from([0xef, 0xbb, 0xbf]);

// Neither opening nor reading waits, for the writer of a FIFO for example. Windows has neither flag.
const OPEN_FLAGS = constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOFOLLOW;

/** Reads at most so many bytes: files below /proc say that they are empty, and some have no end. */
async function readAtMost(handle: FileHandle, most: number): Promise<Buffer> {
  const { size } = await handle.stat();
  const chunks: Buffer[] = [];
  let bytes = 0;
  for (let isAtEnd = false; !isAtEnd && bytes < most; ) {
    const room = Buffer.alloc(Math.min(Math.max(size - bytes, 0) + 4096, most - bytes));
    const { bytesRead } = await handle.read(room);
    chunks.push(room.subarray(0, bytesRead));
    bytes += bytesRead;
    isAtEnd = bytesRead === 0;
  }
  return Buffer.concat(chunks);
}

async function readContent(handle: FileHandle, limit: number): Promise<{ content: Buffer; size: string }> {
  const most = limit + BYTE_ORDER_MARK.length + 1;
  const read = await readAtMost(handle, most);
  // Some editors write the mark, and Lambda does not take it.
  const hasMark = read.subarray(0, BYTE_ORDER_MARK.length).equals(BYTE_ORDER_MARK);
  const content = hasMark ? read.subarray(BYTE_ORDER_MARK.length) : read;
  if (read.length < most) return { content, size: `${grouped(content.length)} bytes` };
  const { size } = await handle.stat();
  return { content, size: size < most ? `at least ${grouped(most)} bytes` : `${grouped(size)} bytes` };
}

/** Reads a regular file, or says what is there instead. */
async function readRegular(
  real: string,
  limit: number,
): Promise<{ content: Buffer; size: string } | { kind: string }> {
  const handle = await open(real, OPEN_FLAGS);
  try {
    // Of what is open now: the path may name something else by then.
    const kind = irregularKind(await handle.stat());
    return kind === undefined ? await readContent(handle, limit) : { kind };
  } finally {
    await handle.close();
  }
}

/** Reads the event's file. Undefined, with a problem, where it can't be read or is not the workflow's own choice. */
export async function readPayloadFile(
  { file, folders, limit }: { file: string; folders: JobFolders; limit: number },
  problems: Problems,
): Promise<PayloadFile | undefined> {
  const asked = path.resolve(folders.workspace, file);
  const named = `payload_file ${quote(file)}`;
  const found = asked === file ? named : `${named} (${quote(asked)})`;
  try {
    const real = await realpath(asked);
    const place = await placeOf({ asked, real }, folders);
    if (place === 'redirected') {
      problems.add(
        `${named} leads out of the workspace, to ${quote(real)}, through a symlink. To use that file, write its absolute path in the workflow.`,
      );
      return undefined;
    }
    const outside =
      place === 'outside' ? `${named}, which is ${quote(real)} outside the workspace,` : undefined;
    const read = await readRegular(real, limit);
    if ('kind' in read) {
      problems.add(`${outside ?? found} is ${read.kind}. Name a file with the JSON event.`);
      return undefined;
    }
    return { ...read, source: outside ?? named, ...(outside !== undefined && { outsideFile: real }) };
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown error';
    problems.add(`${found} ${FILE_PROBLEMS.get(code) ?? `can't be read (${code})`}.`);
    return undefined;
  }
}
