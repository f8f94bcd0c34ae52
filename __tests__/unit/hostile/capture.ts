import { Buffer } from 'node:buffer';
import { jest } from '@jest/globals';

/** What a piece of work writes to standard output, as it is on the wire: half a character is U+FFFD there. */
export function stdoutOf(work: () => void): string {
  const chunks: Buffer[] = [];
  const spy = jest.spyOn(process.stdout, 'write').mockImplementation((chunk) => {
    chunks.push(Buffer.from(chunk));
    return true;
  });
  try {
    work();
  } finally {
    spy.mockRestore();
  }
  return Buffer.concat(chunks).toString('utf8');
}

/** Text as it comes out of a file or a pipe. */
export const onTheWire = (text: string): string => text.toWellFormed();
