import { type ChildProcess, execFile, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { writeFiles } from '../../packages/local-runner/run-step.ts';
import { invokeStep, unusedUrl } from './step.ts';

const run = promisify(execFile);
const REGION = 'eu-west-1';
const CREDENTIALS = { AWS_ACCESS_KEY_ID: 'AKIAIOSFODNN7EXAMPLE', AWS_SECRET_ACCESS_KEY: 'secret' };

const HAS_MOTO = `
import importlib.util, sys
sys.exit(0 if all(importlib.util.find_spec(name) for name in ('boto3', 'flask', 'moto')) else 1)
`;

const SERVE = 'from moto.server import main; main(["--host", "127.0.0.1", "--port", "0"])';

const DEPLOY = `
import boto3, io, json, sys, urllib.request, zipfile
url = sys.argv[1]
# Without Docker, moto runs no code: it responds with the event, or with what is queued.
config = json.dumps({'lambda': {'use_docker': False}}).encode()
urllib.request.urlopen(url + '/moto-api/config', data=config).read()
role = boto3.client('iam', endpoint_url=url).create_role(RoleName='r', AssumeRolePolicyDocument='{}')['Role']['Arn']
code = io.BytesIO()
with zipfile.ZipFile(code, 'w') as archive: archive.writestr('f.py', 'def handler(event, context): return event')
functions = boto3.client('lambda', endpoint_url=url)
functions.create_function(FunctionName='f', Runtime='python3.12', Role=role, Handler='f.handler',
                          Code={'ZipFile': code.getvalue()}, Publish=True)
functions.create_alias(FunctionName='f', Name='live', FunctionVersion='1')
`;

const INVOKE = `
import boto3, json, sys
client = boto3.client('lambda', endpoint_url=sys.argv[1])
responses = [client.invoke(**parameters) for parameters in json.loads(sys.argv[2])]
print(json.dumps([{'status': response['StatusCode'], 'payload': response['Payload'].read().decode()} for response in responses]))
`;

const RESPOND = `
import json, sys, urllib.request
results = json.dumps({'results': [sys.argv[2]], 'region': 'eu-west-1'}).encode()
urllib.request.urlopen(sys.argv[1] + '/moto-api/static/lambda-simple/response', data=results).read()
`;

/** Waits until a server has printed a text on standard error, which it goes on to write, and gives that text. */
async function printed({ stderr }: ChildProcess, pattern: RegExp): Promise<string> {
  if (stderr === null) throw new Error('standard error is not a pipe');
  let [found] = [''];
  for await (const line of createInterface(stderr)) {
    [found = ''] = pattern.exec(line) ?? [];
    if (found !== '') break;
  }
  stderr.resume();
  if (found === '') throw new Error('the server ended');
  return found;
}

/** Ends a server, and waits for its end. */
async function end(server: ChildProcess): Promise<void> {
  if (server.exitCode !== null || server.signalCode !== null) return;
  const ended = once(server, 'close');
  server.kill();
  await ended;
}

const hasMoto = spawnSync('python3', ['-c', HAS_MOTO]).status === 0;
const suite = hasMoto ? describe : describe.skip;

suite(hasMoto ? 'moto' : 'moto (skipped: python3 has no moto with its server, or no boto3)', () => {
  let server: ChildProcess;
  let lambda: Readonly<{ url: string; region: string }>;

  const python = async (script: string, ...parameters: string[]): Promise<string> => {
    const env = {
      PATH: process.env['PATH'],
      HOME: process.env['HOME'],
      AWS_DEFAULT_REGION: REGION,
      ...CREDENTIALS,
    };
    return (await run('python3', ['-c', script, lambda.url, ...parameters], { env })).stdout;
  };
  beforeAll(async () => {
    server = spawn('python3', ['-c', SERVE], { stdio: ['ignore', 'ignore', 'pipe'] });
    lambda = { url: await printed(server, /http:\/\/127\.0\.0\.1:\d+/), region: REGION };
    await python(DEPLOY);
  }, 60_000);
  afterAll(() => end(server));

  test('the action and botocore see the same of each invocation', async () => {
    const events = ['{"name":"größe","list":[1,2]}', '{"a":{"b":null}}', '{"n":0.1}'];
    const parameters = [
      ...events.map((Payload) => ({ FunctionName: 'f', Payload })),
      { FunctionName: 'f', Payload: '{}', Qualifier: 'live' },
      // moto has no log tail.
      { FunctionName: 'f', Payload: '{}', LogType: 'Tail' },
      { FunctionName: 'f', Payload: '{}', InvocationType: 'DryRun' },
    ];
    const entries = parameters.map(({ Payload: payload, ...rest }) => ({
      payload,
      ...Object.fromEntries(
        Object.entries(rest).map(([name, value]) => [
          name.replace(/(?<=[a-z])[A-Z]/g, '_$&').toLowerCase(),
          value,
        ]),
      ),
    }));
    const step = await invokeStep(lambda, { invocations: JSON.stringify(entries) });
    expect(step.outputs).toMatchObject({ total: String(entries.length), failed: '0' });
    const seen = step.outcomeLines
      .map((line) => JSON.parse(line))
      .sort((one, other) => one.index - other.index)
      .map(({ status_code: status, response }) => ({
        status,
        payload: response === undefined ? '' : JSON.stringify(response),
      }));
    expect(seen).toEqual(JSON.parse(await python(INVOKE, JSON.stringify(parameters))));
  });

  test('an event is accepted, although moto responds to it with a body', async () => {
    const inputs = { function_name: 'f', payload: '{}', invocation_type: 'Event' };
    const { exitCode, outputs } = await invokeStep(lambda, inputs);
    expect({ exitCode, ...outputs }).toMatchObject({ exitCode: 0, outcome: 'succeeded', status_code: '202' });
  });

  test('a function that does not exist is not invoked, and the error says so', async () => {
    const inputs = { function_name: 'nope', payload: '{}', wait_until_ready: 'true' };
    const { exitCode, outputs, annotations } = await invokeStep(lambda, inputs);
    expect([exitCode, outputs['outcome']]).toEqual([1, 'not_invoked']);
    expect(annotations[0]?.message).toMatch(/^nope: ResourceNotFoundException: Function not found: arn:/);
  });

  test.each([
    { what: 'a response that is not JSON', queued: ['Simple Lambda happy path OK'], payload: '{}' },
    { what: 'the error page of a server that fails', queued: [], payload: '"moto expects an object"' },
  ])('$what is not taken for a success', async ({ queued, payload }) => {
    for (const response of queued) await python(RESPOND, response);
    const { exitCode, outputs } = await invokeStep(lambda, { function_name: 'f', payload });
    expect([exitCode, outputs['outcome']]).toEqual([1, 'unknown']);
  });
});

/** The folder of serverless-offline beside the serverless command on the PATH. */
function findServerlessOffline(): string | undefined {
  const folders = (process.env['PATH'] ?? '').split(path.delimiter);
  const command = folders.map((folder) => path.join(folder, 'serverless')).find((file) => existsSync(file));
  if (command === undefined) return undefined;
  const plugin = path.join(path.dirname(realpathSync(command)), '../../serverless-offline');
  return existsSync(plugin) ? plugin : undefined;
}

const SERVICE = {
  'serverless.yml': `
service: other
frameworkVersion: '3'
provider: { name: aws, runtime: nodejs20.x, region: ${REGION} }
plugins: [serverless-offline]
functions:
  echo: { handler: handler.echo, name: echo }
  throws: { handler: handler.throws, name: throws }
`,
  'handler.js': `
exports.echo = async (event) => event;
exports.throws = async () => { throw new RangeError('out of range'); };
`,
};

const plugin = findServerlessOffline();
const offlineSuite = plugin === undefined ? describe.skip : describe;
const offlineTitle =
  plugin === undefined
    ? 'serverless-offline (skipped: there is no serverless command on the PATH with this plugin beside it)'
    : 'serverless-offline';

offlineSuite(offlineTitle, () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'serverless-'));
  let server: ChildProcess;
  let lambda: Readonly<{ url: string; region: string }>;

  beforeAll(async () => {
    writeFiles(folder, SERVICE);
    mkdirSync(path.join(folder, 'node_modules'));
    symlinkSync(plugin ?? '', path.join(folder, 'node_modules', 'serverless-offline'));
    lambda = { url: await unusedUrl(), region: REGION };
    const ports = ['--lambdaPort', new URL(lambda.url).port, '--httpPort', new URL(await unusedUrl()).port];
    server = spawn('serverless', ['offline', 'start', '--noSponsor', '--host', '127.0.0.1', ...ports], {
      cwd: folder,
      env: {
        PATH: process.env['PATH'],
        HOME: folder,
        SLS_TELEMETRY_DISABLED: '1',
        SLS_NOTIFICATIONS_MODE: 'off',
      },
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    await printed(server, /http for lambda.*listening/);
  }, 120_000);
  afterAll(async () => {
    await end(server);
    rmSync(folder, { recursive: true, force: true });
  });

  test.each([
    { name: 'echo', inputs: {}, outcome: 'succeeded', response: '{"a":1}' },
    {
      name: 'throws',
      inputs: {},
      outcome: 'function_error',
      response: expect.stringContaining('"errorMessage":"out of range"'),
    },
    // It accepts an event with the headers of a page and without a request ID, which proves nothing.
    { name: 'echo', inputs: { invocation_type: 'Event' }, outcome: 'unknown', response: '' },
    // It does not know dry runs, and says so.
    { name: 'echo', inputs: { invocation_type: 'DryRun' }, outcome: 'not_invoked', response: '' },
    { name: 'nope', inputs: {}, outcome: 'not_invoked', response: '' },
  ])('$name with $inputs is $outcome', async ({ name, inputs, outcome, response }) => {
    const step = await invokeStep(lambda, { function_name: name, payload: '{"a":1}', ...inputs });
    expect(step.outputs).toMatchObject({ outcome, response });
    expect(step.exitCode).toBe(outcome === 'succeeded' ? 0 : 1);
  });
});
