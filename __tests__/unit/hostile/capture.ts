import { Buffer } from 'node:buffer';
import { jest } from '@jest/globals';

/** Captures standard output until `end` returns it. */
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

/** The standard output of a function, encoded as UTF-8: a lone surrogate becomes U+FFFD. */
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

/** The same for an asynchronous function. */
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

/** Text as it is read from a file or a pipe. */
export const onTheWire = (text: string): string => text.toWellFormed();
