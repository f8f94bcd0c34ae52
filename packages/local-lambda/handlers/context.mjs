// Returns what the context object says, the client context above all.
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
