// Returns the content of the context object, including the client context.
export const handler = async (_event, context) => ({
  functionName: context.functionName,
  functionVersion: context.functionVersion,
  invokedFunctionArn: context.invokedFunctionArn,
  memoryLimitInMB: context.memoryLimitInMB,
  awsRequestId: context.awsRequestId,
  logGroupName: context.logGroupName,
  logStreamName: context.logStreamName,
  clientContext: context.clientContext ?? null,
  tenantId: context.tenantId ?? null,
  remainingTimeInMillis: context.getRemainingTimeInMillis(),
});
