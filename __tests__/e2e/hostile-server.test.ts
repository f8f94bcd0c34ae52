import { Buffer } from 'node:buffer';
import { afterEach, describe, expect, test } from '@jest/globals';
import { type RawResponder, type RawServer, startRawServer } from '../raw-server.ts';
import { followPeak } from './peak-memory.ts';
import { type InvokeStep, invokeStep } from './step.ts';

let server: RawServer | undefined;
afterEach(async () => {
  await server?.close();
  server = undefined;
});

/** Runs a step against a server that closes no connection itself, and waits for the step's process. */
async function stepAt(respond: RawResponder): Promise<InvokeStep & Readonly<{ peakMb: number }>> {
  server = await startRawServer(respond);
  let peak = (): number => 0;
  const inputs = { function_name: 'f', payload: '{}', retry: 'never' };
  const step = await invokeStep(server, inputs, {
    onStart: (child) => {
      peak = followPeak(child);
    },
  });
  return { ...step, peakMb: peak() };
}

const head = (...lines: readonly string[]): string => [...lines, '', ''].join('\r\n');
const FROM_A_RUN = [
  'x-amzn-requestid: 11111111-2222-3333-4444-555555555555',
  'X-Amz-Executed-Version: $LATEST',
];

test('a response that switches protocols ends the step', async () => {
  const step = await stepAt((socket) =>
    socket.write(head('HTTP/1.1 101 Switching Protocols', 'Upgrade: other', 'Connection: Upgrade')),
  );
  expect(step.exitCode).toBe(1);
  expect(step.outputs).toMatchObject({ outcome: 'unknown', attempts: '1' });
});

describe('memory is not filled', () => {
  test('by an endless response', async () => {
    const step = await stepAt((socket) => {
      const body = Buffer.alloc(1024 * 1024, 'x');
      const write = (): void => {
        while (!socket.destroyed && socket.write(body));
      };
      socket.on('drain', write);
      socket.write(head('HTTP/1.1 200 OK', 'Content-Length: 3000000000', ...FROM_A_RUN));
      write();
    });
    expect(step.outputs).toMatchObject({ outcome: 'unknown', attempts: '1' });
    expect(step.peakMb).toBeLessThan(250);
  });

  test('by a response in pieces of one byte', async () => {
    const bytes = 2_000_000;
    const step = await stepAt((socket) => {
      socket.write(head('HTTP/1.1 200 OK', 'Transfer-Encoding: chunked', ...FROM_A_RUN));
      socket.write('1\r\nx\r\n'.repeat(bytes));
      socket.write('0\r\n\r\n');
    });
    expect(step.outputs['outcome']).toBe('succeeded');
    expect(step.peakMb).toBeLessThan(250);
  });
});
