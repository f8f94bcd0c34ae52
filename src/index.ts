import { mayUseTls, readEarlyEndpoint } from './inputs/early-endpoint.ts';
import { EarlyConnection } from './lambda/early-connection.ts';
import { eventLoopTurn, REAL_TIMING } from './lambda/timing.ts';

/** A runner cancels with SIGINT, and with SIGTERM 7.5 s later; what is known by then has to be reported. */
function cancelOnSignal(): AbortSignal {
  const cancel = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => cancel.abort());
  return cancel.signal;
}

/** Runs the action once its code is loaded, which blocks the event loop: that turns in between, for the handshake. */
async function start(cancel: AbortSignal, early: EarlyConnection | undefined): Promise<void> {
  await eventLoopTurn();
  // With it, Node.js begins to read its certificates, in a thread. The early connection loads it itself.
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
  // A file of the action is missing or broken: what would report that may be missing too.
  console.error(error);
  early?.destroy();
});
