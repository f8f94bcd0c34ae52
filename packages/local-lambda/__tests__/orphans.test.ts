import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, open, rm } from 'node:fs/promises';
import { createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { InvokeCommand } from '@aws-sdk/client-lambda';
import { expect } from '@jest/globals';
import { signalTest } from '../../../__tests__/signals.ts';
import { portOf } from '../../local-server/listening.ts';
import { clientOf } from './client.ts';

const SERVER = new URL('../server.ts', import.meta.url).href;
const HANDLER = path.join(import.meta.dirname, 'handlers', 'waiting-thread.mjs.handler');
const SERVE = `
  import { startLocalLambda } from ${JSON.stringify(SERVER)};
  const lambda = await startLocalLambda({ functions: { waiting: { handler: ${JSON.stringify(HANDLER)} } } });
  console.log(lambda.url);
`;

signalTest('an environment ends with its server, even if one of its threads waits', async () => {
  const folder = await mkdtemp(path.join(tmpdir(), 'orphan-'));
  const fifo = path.join(folder, 'fifo');
  const listener = createServer().listen(0, '127.0.0.1');
  const server = spawn(process.execPath, ['--input-type=module', '--eval', SERVE], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  try {
    const connected = once(listener, 'connection');
    const [url] = await once(server.stdout, 'data');
    const client = clientOf({ url: String(url).trim(), region: 'us-east-1' });
    const event = { port: portOf(listener), fifo };
    await client.send(new InvokeCommand({ FunctionName: 'waiting', Payload: JSON.stringify(event) }));
    client.destroy();
    const [environment]: Socket[] = await connected;
    const closed = new Promise((resolve) => environment?.resume().on('close', () => resolve('ended')));
    environment?.on('error', () => {});
    server.kill('SIGKILL');
    expect(await Promise.race([closed, sleep(5_000, 'still runs', { ref: false })])).toBe('ended');
  } finally {
    server.kill('SIGKILL');
    listener.close();
    // If the environment still runs, its thread stops waiting.
    await (await open(fifo, 'r+')).close();
    await rm(folder, { recursive: true });
  }
});
