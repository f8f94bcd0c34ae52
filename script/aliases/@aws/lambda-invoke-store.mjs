// Replaces @aws/lambda-invoke-store in the bundle. AWS's clients look there for the trace of the invocation that they
// run in, and every request of every start would load it. A step does not run inside a Lambda function.
export const InvokeStore = { getInstanceAsync: async () => undefined };
