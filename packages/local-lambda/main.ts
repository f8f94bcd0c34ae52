// Serves the sample functions: node packages/local-lambda/main.ts [--port N]
import { parseArgs } from 'node:util';
import { SAMPLE_FUNCTIONS } from './sample-functions.ts';
import { startLocalLambda } from './server.ts';

function readPort(): number {
  const { values } = parseArgs({ options: { port: { type: 'string', default: '0' } } });
  const port = Number(values.port);
  if (!/^\d+$/.test(values.port) || port > 65_535) {
    throw new Error(`--port must be a number from 0 to 65535; got "${values.port}".`);
  }
  return port;
}

const lambda = await startLocalLambda({ functions: SAMPLE_FUNCTIONS, port: readPort() });
process.stdout.write(
  [
    `# Local Lambda with ${Object.keys(SAMPLE_FUNCTIONS).join(', ')}. Use it with:`,
    `export AWS_ENDPOINT_URL_LAMBDA=${lambda.url}`,
    `export AWS_ENDPOINT_URL_CLOUDWATCH_LOGS=${lambda.url}`,
    `export AWS_ENDPOINT_URL_SCHEMAS=${lambda.url}`,
    `export AWS_REGION=${lambda.region}`,
    'export AWS_ACCESS_KEY_ID=AKIALOCALLAMBDA00000',
    'export AWS_SECRET_ACCESS_KEY=not-checked-here',
    '',
  ].join('\n'),
);

let stopping = false;
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.on(signal, () => {
    if (stopping) return;
    stopping = true;
    void lambda.close();
  });
}
