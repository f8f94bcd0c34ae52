import { readEarlyEndpoint } from './inputs/early-endpoint.ts';
import { EarlyConnection } from './lambda/early-connection.ts';
import { eventLoopTurn, REAL_TIMING } from './lambda/timing.ts';

/** A runner cancels with SIGINT, and with SIGTERM 7.5 s later; what is known by then has to be reported. */
function cancelOnSignal(): AbortSignal {
  const cancel = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => cancel.abort());
  return cancel.signal;
}

// The step fails unless it is known to have succeeded, however the process ends.
process.exitCode = 1;
const cancel = cancelOnSignal();
const server = readEarlyEndpoint();
const early = server && new EarlyConnection(server, REAL_TIMING);
// Loading blocks the event loop, which the handshake needs: it turns before and between the parts.
await eventLoopTurn();
await import('./lambda/client.ts');
await eventLoopTurn();
const { runProcess, endProcess } = await import('./process.ts');
await eventLoopTurn();
process.exitCode = await runProcess({ cancel, ...(early && { early }) });
endProcess();
