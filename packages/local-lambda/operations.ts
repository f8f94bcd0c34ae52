/** The supported operations. The first match wins. `path` captures the one or two labels of a path. */
const OPERATIONS = [
  {
    operation: 'Invoke',
    method: 'POST',
    path: /^\/2015-03-31\/functions\/(.*)\/invocations\/?$/,
    action: 'lambda:InvokeFunction',
  },
  {
    operation: 'InvokeWithResponseStream',
    method: 'POST',
    path: /^\/2021-11-15\/functions\/(.*)\/response-streaming-invocations\/?$/,
    action: 'lambda:InvokeFunction',
  },
  {
    operation: 'GetFunctionConfiguration',
    method: 'GET',
    path: /^\/2015-03-31\/functions\/(.*)\/configuration\/?$/,
    action: 'lambda:GetFunctionConfiguration',
  },
  {
    operation: 'GetFunctionEventInvokeConfig',
    method: 'GET',
    path: /^\/2019-09-25\/functions\/(.*)\/event-invoke-config\/?$/,
    action: 'lambda:GetFunctionEventInvokeConfig',
  },
  {
    operation: 'ListAliases',
    method: 'GET',
    path: /^\/2015-03-31\/functions\/(.*)\/aliases\/?$/,
    action: 'lambda:ListAliases',
  },
  {
    operation: 'GetAlias',
    method: 'GET',
    path: /^\/2015-03-31\/functions\/(.*)\/aliases\/([^/]+)\/?$/,
    action: 'lambda:GetAlias',
  },
  {
    operation: 'GetProvisionedConcurrencyConfig',
    method: 'GET',
    path: /^\/2019-09-30\/functions\/(.*)\/provisioned-concurrency\/?$/,
    action: 'lambda:GetProvisionedConcurrencyConfig',
  },
  {
    operation: 'DescribeRegistry',
    method: 'GET',
    path: /^\/v1\/registries\/name\/([^/]+)$/,
    action: 'schemas:DescribeRegistry',
  },
  {
    operation: 'DescribeSchema',
    method: 'GET',
    path: /^\/v1\/registries\/name\/([^/]+)\/schemas\/name\/([^/]+)$/,
    action: 'schemas:DescribeSchema',
  },
  {
    operation: 'CheckpointDurableExecution',
    method: 'POST',
    path: /^\/2025-12-01\/durable-executions\/(.*)\/checkpoint$/,
    action: 'lambda:CheckpointDurableExecution',
  },
  {
    operation: 'GetDurableExecutionState',
    method: 'GET',
    path: /^\/2025-12-01\/durable-executions\/(.*)\/state$/,
    action: 'lambda:GetDurableExecutionState',
  },
  {
    operation: 'GetDurableExecutionHistory',
    method: 'GET',
    path: /^\/2025-12-01\/durable-executions\/(.*)\/history$/,
    action: 'lambda:GetDurableExecutionHistory',
  },
  {
    operation: 'StopDurableExecution',
    method: 'POST',
    path: /^\/2025-12-01\/durable-executions\/(.*)\/stop$/,
    action: 'lambda:StopDurableExecution',
  },
  {
    operation: 'GetDurableExecution',
    method: 'GET',
    path: /^\/2025-12-01\/durable-executions\/(.*)$/,
    action: 'lambda:GetDurableExecution',
  },
] as const;

export type Operation = (typeof OPERATIONS)[number]['operation'];

/** An operation on a durable execution. */
export type DurableOperationName = Extract<Operation, `${string}DurableExecution${string}`>;

/** The operation of a request. */
export type Route = Readonly<{
  operation: Operation;
  /** The action that IAM must allow. */
  action: string;
  /** The decoded label in the path, for example the function. */
  label: string;
  /** The second label, if the path has one, for example the alias. */
  member: string | undefined;
}>;

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** Finds the operation of a request. Undefined if there is none. */
export function findRoute(request: Readonly<{ method: string; path: string }>): Route | undefined {
  for (const { operation, method, path, action } of OPERATIONS) {
    const [, label, member] = (method === request.method && path.exec(request.path)) || [];
    if (label === undefined) continue;
    return {
      operation,
      action,
      label: decode(label),
      member: member === undefined ? undefined : decode(member),
    };
  }
  return undefined;
}
