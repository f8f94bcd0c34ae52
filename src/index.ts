import { mayUseTls, readEarlyEndpoint } from './inputs/early-endpoint.ts';
import { EarlyConnection } from './lambda/early-connection.ts';
import { eventLoopTurn, REAL_TIMING } from './lambda/timing.ts';

/** A runner cancels with SIGINT, and with SIGTERM 7.5 s later; what is known by then has to be reported. */
function cancelOnSignal(): AbortSignal {
  const cancel = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => cancel.abort());
  return cancel.signal;
}

/** Loads the code in parts and runs the action. The event loop turns between the parts, for the TLS handshake. */
async function start(cancel: AbortSignal, early: EarlyConnection | undefined): Promise<void> {
  await eventLoopTurn();
  // With this part, Node.js starts to read its certificates in a thread. An early connection loads it itself.
  if (early === undefined && mayUseTls()) await import('node:tls');
  await import('./lambda/client.ts');
  await eventLoopTurn();
  const { runProcess, endProcess } = await import('./process.ts');
  await eventLoopTurn();
  process.exitCode = await runProcess({ cancel, ...(early && { early }) });
  endProcess();
}

// The step fails unless it is known to have succeeded, however the process ends.
process.exitCode = 1;
const cancel = cancelOnSignal();
const server = readEarlyEndpoint();
const early = server && new EarlyConnection(server, REAL_TIMING);
start(cancel, early).catch((error: unknown) => {
  // A file of the action is missing or broken, and that may be the file that reports errors.
  console.error(error);
  early?.destroy();
});
