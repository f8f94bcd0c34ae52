import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { makeCertificate } from '../../packages/local-proxy/certificate.ts';
import type { Call, CallReport, ClientTask } from './nat-client.ts';
import {
  FORGETS_AFTER_SECONDS,
  makeNatNetwork,
  type NatNetwork,
  reasonWithoutNat,
  SERVER_ADDRESS,
} from './nat-network.ts';
import type { ServerPorts, ServerReport, ServerTask } from './nat-server.ts';

// A function that takes longer than the router remembers an idle connection.
const SILENT_MS = 15_000;
const PATIENCE_MS = 20_000;
const ROOT = path.join(import.meta.dirname, '..', '..');
const HANDLER = path.join(ROOT, 'packages', 'local-lambda', 'handlers', 'slow.mjs.handler');
const JSON_MODULES = path.join(ROOT, 'packages', 'local-runner', 'json-modules.ts');

const withoutNat = reasonWithoutNat();
const certificate = withoutNat === undefined ? makeCertificate([SERVER_ADDRESS]) : { missing: withoutNat };
const pem = 'missing' in certificate ? undefined : certificate;
const withoutTls = 'missing' in certificate ? certificate.missing : undefined;

// Jest does not show test names if a whole file is skipped.
if (withoutNat !== undefined) console.warn(`The tests behind a NAT are skipped: ${withoutNat}.`);

const children: ChildProcess[] = [];
let network: NatNetwork | undefined;
let calls: ReadonlyMap<string, CallReport> = new Map();
let server: ServerReport = { executions: [], proxied: [] };

/** Starts one of the programs beside this file in a namespace. */
function startIn(namespace: string, program: string, task: ServerTask | ClientTask): ChildProcess {
  const file = path.join(import.meta.dirname, program);
  const command = ['netns', 'exec', namespace, process.execPath, '--import', JSON_MODULES, file];
  const child = spawn('ip', command, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
  children.push(child);
  child.send(task);
  return child;
}

/** The next message of a program. Throws if the program ends instead. */
function told<T>(child: ChildProcess): Promise<T> {
  return new Promise((resolve, reject) => {
    child.once('message', resolve);
    child.once('error', reject);
    child.once('exit', (code) => reject(new Error(`a program ended with ${code} before it said anything`)));
  });
}

const silent = JSON.stringify({ ms: SILENT_MS });

function callsOf(ports: ServerPorts): Call[] {
  const http = `http://${SERVER_ADDRESS}:${ports.http}`;
  const https = `https://${SERVER_ADDRESS}:${ports.https}`;
  const proxy = `http://${SERVER_ADDRESS}:${ports.proxy}`;
  const trust = { NODE_EXTRA_CA_CERTS: pem?.file ?? '' };
  const step = { payload: silent, by: 'step' } as const;
  const plain = { by: 'plain', endpoint: http, env: {} } as const;
  return [
    { ...step, functionName: 'direct-http', endpoint: http, env: {} },
    { ...step, functionName: 'forwarded', endpoint: http, env: { HTTP_PROXY: proxy } },
    ...(pem
      ? [
          { ...step, functionName: 'direct-https', endpoint: https, env: trust },
          { ...step, functionName: 'tunnelled', endpoint: https, env: { ...trust, HTTPS_PROXY: proxy } },
        ]
      : []),
    { ...plain, functionName: 'plain-silent', payload: silent },
    { ...plain, functionName: 'plain-short', payload: '{"ms":100}' },
  ];
}

beforeAll(async () => {
  if (withoutNat !== undefined) return;
  network = makeNatNetwork();
  const serving = startIn(network.server, 'nat-server.ts', {
    host: SERVER_ADDRESS,
    functions: ['direct-http', 'direct-https', 'forwarded', 'tunnelled', 'plain-silent', 'plain-short'],
    handler: HANDLER,
    ...(pem && { certificate: { key: pem.key, cert: pem.cert } }),
  });
  const ports: ServerPorts = await told(serving);
  const calling = startIn(network.client, 'nat-client.ts', {
    calls: callsOf(ports),
    patienceMs: PATIENCE_MS,
  });
  const reports: CallReport[] = [];
  calling.on('message', (report: CallReport) => reports.push(report));
  await once(calling, 'disconnect');
  calls = new Map(reports.map((report) => [report.functionName, report]));
  serving.send('report');
  server = await told(serving);
}, 60_000);

/** Asks a program to exit, and ends it if it does not. */
async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  await new Promise<void>((resolve) => {
    const kill = setTimeout(() => child.kill('SIGKILL'), 5_000);
    child.once('exit', () => {
      clearTimeout(kill);
      resolve();
    });
    if (child.connected) child.disconnect();
  });
}

afterAll(async () => {
  await Promise.all(children.map(end));
  network?.dispose();
  pem?.dispose();
});

const because = (reason: string | undefined): string => (reason === undefined ? '' : ` (skipped: ${reason})`);
const executions = (functionName: string): number =>
  server.executions.filter((name) => name === functionName).length;
const natTest = withoutNat === undefined ? test : test.skip;

natTest(`a connection without keep-alive is lost behind this NAT${because(withoutNat)}`, () => {
  expect(SILENT_MS).toBeGreaterThan(FORGETS_AFTER_SECONDS * 2 * 1000);
  expect(calls.get('plain-short')).toMatchObject({ outcome: 'succeeded', result: '{"slept":100}' });
  expect(calls.get('plain-silent')).toMatchObject({ outcome: 'no response' });
  expect(executions('plain-silent')).toBe(1);
});

for (const { name, functionName, method, reason } of [
  { name: 'over http', functionName: 'direct-http', reason: withoutNat },
  { name: 'over https', functionName: 'direct-https', reason: withoutTls },
  { name: 'through a proxy over http', functionName: 'forwarded', method: 'POST', reason: withoutNat },
  { name: "through a proxy's tunnel", functionName: 'tunnelled', method: 'CONNECT', reason: withoutTls },
]) {
  const testOrSkip = reason === undefined ? test : test.skip;
  testOrSkip(`an invocation ${name} outlives what the NAT remembers${because(reason)}`, () => {
    expect(calls.get(functionName)).toMatchObject({
      outcome: 'succeeded',
      result: JSON.stringify({ slept: SILENT_MS }),
    });
    expect(executions(functionName)).toBe(1);
    if (method !== undefined) expect(server.proxied.filter((came) => came === method)).toHaveLength(1);
  });
}
