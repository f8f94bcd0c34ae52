import { fileURLToPath } from 'node:url';
import type { FunctionDefinition } from './function-definition.ts';

/** Returns the handler string of a sample module. */
export function sampleHandler(name: string): string {
  return `${fileURLToPath(new URL(`./handlers/${name}.mjs`, import.meta.url))}.handler`;
}

/** Functions for the demo and the tests: some that succeed, and one for each way to fail. */
export const SAMPLE_FUNCTIONS = {
  echo: {
    handler: sampleHandler('echo'),
    versions: {
      '1': { environment: { key3: 'from version 1' } },
      '2': { environment: { key3: 'from version 2' } },
    },
    aliases: { previous: '1', live: '2' },
    testEvents: { order: { value: { key1: 'from the test event' }, invocationType: 'RequestResponse' } },
  },
  greeting: { handler: sampleHandler('greeting') },
  health: { handler: sampleHandler('health'), environment: { APP_VERSION: '1.4.2' } },
  context: { handler: sampleHandler('context'), memorySize: 256, timeoutSeconds: 10 },
  tenant: { handler: sampleHandler('tenant'), tenantIsolation: true },
  digest: { handler: sampleHandler('digest'), timeoutSeconds: 30 },
  callback: { handler: sampleHandler('callback') },
  slow: { handler: sampleHandler('slow'), timeoutSeconds: 60 },
  stream: { handler: sampleHandler('stream'), timeoutSeconds: 120 },
  'json-log': { handler: sampleHandler('greeting'), logFormat: 'JSON' },
  'hostile-log': { handler: sampleHandler('hostile-log') },
  throws: { handler: sampleHandler('throws') },
  rejection: { handler: sampleHandler('rejection') },
  crash: { handler: sampleHandler('crash') },
  timeout: { handler: sampleHandler('slow'), timeoutSeconds: 1 },
  oversized: { handler: sampleHandler('oversized'), timeoutSeconds: 10 },
  unserializable: { handler: sampleHandler('unserializable') },
  'out-of-memory': { handler: sampleHandler('out-of-memory'), memorySize: 64, timeoutSeconds: 30 },
  'missing-module': { handler: sampleHandler('no-such-module') },
  'missing-export': { handler: `${sampleHandler('echo')}Missing` },
  'durable-order': {
    handler: sampleHandler('durable-order'),
    durable: { executionTimeoutSeconds: 300 },
    timeoutSeconds: 30,
    versions: { '1': {} },
    aliases: { live: '1' },
  },
  throttled: { handler: sampleHandler('echo'), reservedConcurrency: 0 },
} as const satisfies Readonly<Record<string, FunctionDefinition>>;
