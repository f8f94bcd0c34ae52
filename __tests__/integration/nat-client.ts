// A program for the client's side of a NAT: it makes all calls of the received ClientTask at the same time,
// as a step with the committed bundle or with the SDK alone, and sends a CallReport for each.
import { once } from 'node:events';
import { Agent } from 'node:http';
import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { runStep } from '../../packages/local-runner/run-step.ts';

export type Call = Readonly<{
  functionName: string;
  payload: string;
  /** 'step': the action. 'plain': the SDK, with connections without keep-alive. */
  by: 'step' | 'plain';
  endpoint: string;
  env: Readonly<Record<string, string>>;
}>;

export type ClientTask = Readonly<{ calls: readonly Call[]; patienceMs: number }>;

/** The outcome of a call: the response or the error. */
export type CallReport = Readonly<{
  functionName: string;
  outcome: string;
  result: string;
  elapsedMs: number;
}>;

const CREDENTIALS = {
  accessKeyId: 'AKIAIOSFODNN7EXAMPLE',
  secretAccessKey: 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY',
};

type Ending = Readonly<{ outcome: string; result: string }>;

async function callByStep({ functionName, payload, endpoint, env }: Call): Promise<Ending> {
  const step = await runStep({
    with: { function_name: functionName, payload, timeout_seconds: '25' },
    env: {
      AWS_ENDPOINT_URL_LAMBDA: endpoint,
      AWS_REGION: 'us-east-1',
      AWS_ACCESS_KEY_ID: CREDENTIALS.accessKeyId,
      AWS_SECRET_ACCESS_KEY: CREDENTIALS.secretAccessKey,
      ...env,
    },
    onStart: (child) => {
      process.once('exit', () => child.kill('SIGKILL'));
    },
  });
  step.dispose();
  const outcome = step.outputs['outcome'] ?? 'no outcome';
  return { outcome, result: outcome === 'succeeded' ? (step.outputs['response'] ?? '') : step.stdout };
}

async function callPlainly({ functionName, payload, endpoint }: Call, patienceMs: number): Promise<Ending> {
  const client = new LambdaClient({
    endpoint,
    region: 'us-east-1',
    credentials: CREDENTIALS,
    maxAttempts: 1,
    requestHandler: { httpAgent: new Agent({ keepAlive: false }) },
  });
  const patience = AbortSignal.timeout(patienceMs);
  try {
    const command = new InvokeCommand({ FunctionName: functionName, Payload: payload });
    const { Payload } = await client.send(command, { abortSignal: patience });
    return { outcome: 'succeeded', result: Payload?.transformToString() ?? '' };
  } catch (error) {
    return { outcome: patience.aborted ? 'no response' : 'failed', result: String(error) };
  } finally {
    client.destroy();
  }
}

// Ends with the tests, however they end.
process.once('disconnect', () => process.exit());
const [task]: ClientTask[] = await once(process, 'message');
if (!task) throw new Error('there is nothing to call');
const { calls, patienceMs } = task;
await Promise.all(
  calls.map(async (call) => {
    const startedAt = Date.now();
    const ending = call.by === 'step' ? await callByStep(call) : await callPlainly(call, patienceMs);
    const { functionName } = call;
    const report: CallReport = { functionName, ...ending, elapsedMs: Date.now() - startedAt };
    process.send?.(report);
  }),
);
process.disconnect();
