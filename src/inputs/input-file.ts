import { Buffer } from 'node:buffer';
import { type BigIntStats, constants } from 'node:fs';
import { type FileHandle, open, realpath } from 'node:fs/promises';
import path from 'node:path';
import { grouped } from '../shared/text.ts';
import { fieldsOf } from '../shared/values.ts';
import { irregularKind, type JobFolders, placeOf } from './files.ts';
import { type Problems, quote } from './problems.ts';

/** A file to read, as the workflow names it. */
export type NamedInputFile = Readonly<{
  input: 'payload_file' | 'invocations_file';
  file: string;
  folders: JobFolders;
}>;

/** A file that is open, and how messages name it. */
export type OpenedFile = Readonly<{
  handle: FileHandle;
  source: string;
  /** The path without symlinks. */
  real: string;
  /** The same path, only if it is outside the workspace. */
  outsideFile?: string;
  /** Identifies the state of the file when it was opened. */
  fingerprint: string;
}>;

const WANTED: Readonly<Record<NamedInputFile['input'], string>> = {
  payload_file: 'Name a file with the JSON event',
  invocations_file: 'Name a file with the list of invocations',
};

const FILE_PROBLEMS = new Map([
  ['ENOENT', 'does not exist. Check the path, and that an earlier step made or checked out the file'],
  ['ENOTDIR', 'does not exist: a part of its path is a file'],
  ['EACCES', 'cannot be read: permission denied'],
  ['ELOOP', 'is a symlink that leads back to itself'],
  // The error of a socket, which can't be opened.
  ['ENXIO', 'is not a regular file'],
  ['EAGAIN', 'cannot be read to its end without waiting'],
]);

/** The problem of a text that was meant as a file and is no path; undefined for any other path that does not exist. */
function misnamed({ input, file }: NamedInputFile): string | undefined {
  if (/^fileb?:\/\//i.test(file)) return 'does not exist. Write the path without "file://"';
  if (input === 'invocations_file' && /[\n*]/.test(file)) {
    return 'does not exist. invocations_file takes the path of one file, not several paths or a pattern';
  }
  return undefined;
}

const ENDS_WITH_ADVICE: ReadonlySet<string> = new Set(['ENXIO', 'EAGAIN']);

/** The three bytes that some editors write before UTF-8. Lambda does not accept them. */
export const BYTE_ORDER_MARK = Buffer.from([0xef, 0xbb, 0xbf]);

/** Whether bytes begin with the byte order mark of UTF-8. */
export const hasByteOrderMark = (bytes: Uint8Array): boolean =>
  BYTE_ORDER_MARK.equals(bytes.subarray(0, BYTE_ORDER_MARK.length));

/**
 * Flags to open a path that has no symlink at its end. With them, opening and reading never wait, for example for the
 * writer of a FIFO. Windows has neither flag.
 */
export const OPEN_FLAGS = constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOFOLLOW;

/** Identifies the state of a file: which file it is, its size, and when it was written. */
export const fingerprintOf = ({ dev, ino, size, mtimeNs }: BigIntStats): string =>
  [dev, ino, size, mtimeNs].join(':');

const currentFingerprint = async (handle: FileHandle): Promise<string> =>
  fingerprintOf(await handle.stat({ bigint: true }));

/** Checks that a file has not changed since it was opened. If it has, adds a problem. */
export async function checkUnchanged(
  { handle, fingerprint, source }: OpenedFile,
  problems: Problems,
): Promise<void> {
  if ((await currentFingerprint(handle)) === fingerprint) return;
  problems.add(
    `${source.replace(/,$/, '')} was changed while it was read. Run this step when the file is complete.`,
  );
}

/** Reads at most `most` bytes. The size is not used: files below /proc report 0, and some have no end. */
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

/** The content of a file without a byte order mark, the offset where it begins, and its size in words. */
export type FileContent = Readonly<{ content: Buffer; offset: number; size: string }>;

/** Reads a whole file. Content that is longer than `limit` bytes is cut. */
export async function readContent({ handle }: OpenedFile, limit: number): Promise<FileContent> {
  const most = limit + BYTE_ORDER_MARK.length + 1;
  const read = await readAtMost(handle, most);
  const offset = hasByteOrderMark(read) ? BYTE_ORDER_MARK.length : 0;
  const content = read.subarray(offset);
  if (read.length < most) return { content, offset, size: `${grouped(content.length)} bytes` };
  const { size } = await handle.stat();
  const words = size < most ? `at least ${grouped(most)} bytes` : `${grouped(size)} bytes`;
  return { content, offset, size: words };
}

type Place = Readonly<{ real: string; source: string; outsideFile?: string }>;

/** Finds the real path of a file. Undefined, with a problem, if a symlink in the workspace leads out of it. */
async function locateFile(
  { input, file, folders }: NamedInputFile,
  asked: string,
  problems: Problems,
): Promise<Place | undefined> {
  const named = `${input} ${quote(file)}`;
  const real = await realpath(asked);
  const place = await placeOf({ asked, real }, folders);
  if (place === 'workspace') return { real, source: named };
  if (place === 'outside') {
    return { real, source: `${named}, which is ${quote(real)} outside the workspace,`, outsideFile: real };
  }
  problems.add(
    `${named} leads out of the workspace, to ${quote(real)}, through a symlink. To use that file, write its absolute path in the workflow.`,
  );
  return undefined;
}

/**
 * Opens a file, and closes it when `use` has read it. Undefined, with a problem, if it can't be read or if a symlink in
 * the workspace leads out of it.
 */
export async function useInputFile<Result>(
  named: NamedInputFile,
  problems: Problems,
  use: (opened: OpenedFile) => Promise<Result>,
): Promise<Result | undefined> {
  const { input, file, folders } = named;
  const asked = path.resolve(folders.workspace, file);
  const quoted = `${input} ${quote(file)}`;
  const found = asked === file ? quoted : `${quoted} (${quote(asked)})`;
  let handle: FileHandle | undefined;
  try {
    const place = await locateFile(named, asked, problems);
    if (place === undefined) return undefined;
    handle = await open(place.real, OPEN_FLAGS);
    // The kind of the open file: by now, the path may name another file.
    const kind = irregularKind(await handle.stat());
    if (kind === undefined) {
      return await use({ ...place, handle, fingerprint: await currentFingerprint(handle) });
    }
    problems.add(`${place.outsideFile === undefined ? found : place.source} is ${kind}. ${WANTED[input]}.`);
  } catch (error) {
    const { code } = fieldsOf(error);
    // An error without a code is a defect of the action, not a problem of the file.
    if (typeof code !== 'string') throw error;
    const what = misnamed(named) ?? FILE_PROBLEMS.get(code) ?? `can't be read (${code})`;
    problems.add(`${found} ${what}${ENDS_WITH_ADVICE.has(code) ? `. ${WANTED[input]}` : ''}.`);
  } finally {
    await handle?.close();
  }
  return undefined;
}
