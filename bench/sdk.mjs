// The SDK alone: what its client costs where nothing is asked of it but one invocation. It is bundled as dist/ is.
// Usage: node FILE FUNCTION PAYLOAD; region, credentials and endpoint come from the same variables as the action's.
import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';

const [FunctionName, Payload] = process.argv.slice(2);
const client = new LambdaClient();
client.send(new InvokeCommand({ FunctionName, Payload })).then(() => client.destroy());
