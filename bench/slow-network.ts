// A network between a client and a server on loopback. Each byte arrives half a round trip later. The first bytes of a
// client arrive another round trip later, which is the time to connect on a real network.
// A separate process: node bench/slow-network.ts ROUND_TRIP_MS PORT
import { connect, createServer, type Socket } from 'node:net';
import { portOf } from '../packages/local-server/listening.ts';

const [roundTripMs = 0, targetPort = 0] = process.argv.slice(2).map(Number);
const oneWayMs = roundTripMs / 2;

/** Passes on the data and the end, in order and delayed. */
function delay(from: Socket, to: Socket, { openedAt = 0 } = {}): void {
  const later = (what: () => void): void => {
    const now = performance.now();
    setTimeout(what, Math.max(now, openedAt) + oneWayMs - now);
  };
  from.on('data', (chunk) => later(() => to.write(chunk)));
  from.on('end', () => later(() => to.end()));
  from.on('error', () => to.destroy());
  from.on('close', () => later(() => to.destroy()));
}

const server = createServer({ allowHalfOpen: true, noDelay: true }, (client) => {
  const target = connect({ port: targetPort, host: '127.0.0.1', allowHalfOpen: true, noDelay: true });
  delay(client, target, { openedAt: performance.now() + roundTripMs });
  delay(target, client);
});
server.listen(0, '127.0.0.1', () => process.stdout.write(`${portOf(server)}\n`));
