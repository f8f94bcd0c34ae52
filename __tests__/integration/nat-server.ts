// A program for the server's side of a NAT: a local Lambda, the fronts for clients outside, and a proxy.
// It receives a ServerTask and sends ServerPorts, then a ServerReport for each further message.
import { once } from 'node:events';
import { startLocalLambda } from '../../packages/local-lambda/server.ts';
import { startFront } from '../../packages/local-proxy/front.ts';
import { startLocalProxy } from '../../packages/local-proxy/server.ts';

/** What to serve, and the address. */
export type ServerTask = Readonly<{
  host: string;
  functions: readonly string[];
  /** The duration of every function. */
  handler: string;
  certificate?: Readonly<{ key: string; cert: string }>;
}>;

export type ServerPorts = Readonly<{ http: number; https?: number; proxy: number }>;

/** The functions that ran, one entry per execution, and the methods that the proxy received. */
export type ServerReport = Readonly<{ executions: readonly string[]; proxied: readonly string[] }>;

const [task]: ServerTask[] = await once(process, 'message');
if (!task) throw new Error('there is nothing to serve');
const { host, functions, handler, certificate } = task;
const lambda = await startLocalLambda({
  functions: Object.fromEntries(functions.map((name) => [name, { handler, timeoutSeconds: 30 }])),
});
const targetPort = Number(new URL(lambda.url).port);
const http = await startFront({ targetPort, host });
const https = certificate && (await startFront({ targetPort, host, certificate }));
const proxy = await startLocalProxy({ host });

process.on('message', () => {
  const report: ServerReport = {
    executions: lambda.executions().map(({ functionName }) => functionName),
    proxied: proxy.requests.map(({ method }) => method),
  };
  process.send?.(report);
});
// Ends with the tests, however they end.
process.once('disconnect', async () => {
  await Promise.all([http.close(), https?.close(), proxy.close(), lambda.close()]);
  process.exit();
});
const ports: ServerPorts = { http: http.port, proxy: proxy.port, ...(https && { https: https.port }) };
process.send?.(ports);
