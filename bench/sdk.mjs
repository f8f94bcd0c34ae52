// The SDK's client alone, which sends one invocation and does nothing else. It is bundled like dist/.
// Usage: node FILE FUNCTION PAYLOAD; region, credentials and endpoint come from the same variables as the action's.
import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';

const [FunctionName, Payload] = process.argv.slice(2);
const client = new LambdaClient();
client.send(new InvokeCommand({ FunctionName, Payload })).then(() => client.destroy());
