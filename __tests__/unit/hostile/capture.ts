import { Buffer } from 'node:buffer';
import { jest } from '@jest/globals';

/** Standard output from here on, until `end` gives it. */
function capture(): { end: () => string } {
  const chunks: Buffer[] = [];
  const spy = jest.spyOn(process.stdout, 'write').mockImplementation((chunk) => {
    chunks.push(Buffer.from(chunk));
    return true;
  });
  return {
    end: () => {
      spy.mockRestore();
      return Buffer.concat(chunks).toString('utf8');
    },
  };
}

/** What a piece of work writes to standard output, as it is on the wire: half a character is U+FFFD there. */
export function stdoutOf(work: () => void): string {
  const { end } = capture();
  let stdout = '';
  try {
    work();
  } finally {
    stdout = end();
  }
  return stdout;
}

/** The same of work that takes its time. */
export async function stdoutDuring(work: () => Promise<void>): Promise<string> {
  const { end } = capture();
  let stdout = '';
  try {
    await work();
  } finally {
    stdout = end();
  }
  return stdout;
}

/** Text as it comes out of a file or a pipe. */
export const onTheWire = (text: string): string => text.toWellFormed();
