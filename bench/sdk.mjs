// The SDK alone: what its client costs where nothing is asked of it but invocations. It is bundled as dist/ is.
// Usage: node FILE FUNCTION PAYLOAD [LOG_TYPE [INVOCATIONS [CONCURRENCY]]]
// Region, credentials and endpoint come from the same variables as the action's.
import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';

const [FunctionName, Payload, LogType = 'None', invocations = '1', concurrency = '1'] = process.argv.slice(2);
const client = new LambdaClient({
  ...(invocations !== '1' && { requestHandler: { httpAgent: { maxSockets: Number(concurrency) } } }),
});

let left = Number(invocations);
async function send() {
  while (left > 0) {
    left -= 1;
    await client.send(new InvokeCommand({ FunctionName, Payload, LogType }));
  }
}

Promise.all(Array.from({ length: Number(concurrency) }, send)).then(() => client.destroy());
