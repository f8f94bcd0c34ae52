import { ALIAS_NAME_PATTERN } from './aliases.ts';
import { FUNCTION_NAME_PATTERN, parseFunctionName } from './function-name.ts';
import { CLIENT_CONTEXT_BYTES } from './limits.ts';
import { describeLogsBody, type LogsOperation, logsOperation, logsTarget } from './logs/cloudwatch-logs.ts';
import { findRoute, type Operation, type Route } from './operations.ts';
import { invalidRequestContent, type ServiceError, validationFailed } from './service-errors.ts';
import { functionOfSchema } from './test-events.ts';

/** A received HTTP request. */
export type RecordedRequest = Readonly<{
  method: string;
  /** The path without the query, still percent-encoded. */
  path: string;
  query: Readonly<Record<string, string>>;
  /** The names are in lower case. */
  headers: Readonly<Record<string, string>>;
  body: Buffer;
  /** Milliseconds since 1970. */
  receivedAt: number;
}>;

/** A request with the details that faults and denials can use. A detail is undefined if the request lacks it. */
export type LambdaRequest = RecordedRequest &
  Readonly<{
    operation: Operation | LogsOperation | undefined;
    /** The name alone. */
    functionName: string | undefined;
    qualifier: string | undefined;
    /** Only for invocations. Always set for them, with the default if the header is missing. */
    invocationType: string | undefined;
    tenantId: string | undefined;
    durableExecutionName: string | undefined;
    /** Only for requests to CloudWatch Logs. */
    logGroup: string | undefined;
    logStream: string | undefined;
  }>;

export const INVOCATION_TYPES = ['RequestResponse', 'Event', 'DryRun'] as const;
export type InvocationType = (typeof INVOCATION_TYPES)[number];
/** For InvokeWithResponseStream. */
export const STREAM_INVOCATION_TYPES = ['RequestResponse', 'DryRun'] as const;
const LOG_TYPES = ['None', 'Tail'] as const;

/** The function and qualifier of a request. */
export type FunctionRequest = Readonly<{
  /** The decoded name or ARN in the path. */
  functionName: string;
  qualifier: string | undefined;
}>;

/** An invocation with valid parameters. */
export type InvocationRequest = FunctionRequest &
  Readonly<{
    invocationType: InvocationType;
    tail: boolean;
    /** JSON text. */
    clientContext: string | undefined;
    tenantId: string | undefined;
    durableExecutionName: string | undefined;
    payload: Buffer;
  }>;

const isInvocation = (operation: LambdaRequest['operation']): boolean =>
  operation === 'Invoke' || operation === 'InvokeWithResponseStream';

function parseJson(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString('utf8'));
  } catch {
    return undefined;
  }
}

/** The header with the request ID. An invocation can send its own. */
export const REQUEST_ID_HEADER = 'x-amzn-requestid';

/** The name or ARN of the function that a request is about. */
function functionNameOf({ action, label, member = '' }: Route): string {
  if (action.startsWith('schemas:')) return functionOfSchema(member) ?? '';
  // The ARN of a durable execution starts with the ARN of its function.
  return label.split('/durable-execution/', 1)[0] ?? '';
}

/** Extracts the details of a request without validating them. */
export function describeRequest(request: RecordedRequest): LambdaRequest {
  const route = findRoute(request);
  const reference = parseFunctionName(route === undefined ? '' : functionNameOf(route));
  const alias = route?.operation === 'GetAlias' ? route.member : undefined;
  const target = logsTarget(request);
  return {
    ...request,
    ...describeLogsBody(target === undefined ? undefined : parseJson(request.body)),
    operation: route?.operation ?? logsOperation(target),
    functionName: reference?.name,
    qualifier: request.query['Qualifier'] ?? alias ?? reference?.qualifier,
    invocationType: isInvocation(route?.operation)
      ? (request.headers['x-amz-invocation-type'] ?? 'RequestResponse')
      : undefined,
    tenantId: request.headers['x-amz-tenant-id'],
    durableExecutionName: request.headers['x-amz-durable-execution-name'],
  };
}

type Constraint = Readonly<{
  member: string;
  pattern: string;
  max: number;
}>;

const CONSTRAINTS = {
  functionName: { member: 'functionName', pattern: FUNCTION_NAME_PATTERN, max: 256 },
  qualifier: { member: 'qualifier', pattern: '\\$(LATEST(\\.PUBLISHED)?)|[a-zA-Z0-9-_$]+', max: 128 },
  aliasName: { member: 'name', pattern: ALIAS_NAME_PATTERN, max: 128 },
  version: { member: 'functionVersion', pattern: '(\\$LATEST(\\.PUBLISHED)?|[0-9]+)', max: 1024 },
  tenantId: { member: 'tenantId', pattern: '[a-zA-Z0-9\\._:\\/=+\\-@ ]+', max: 256 },
  durableExecutionName: { member: 'durableExecutionName', pattern: '[a-zA-Z0-9-_]+', max: 64 },
} as const;

function violation(value: string | null, member: string, constraint: string): string {
  return `Value ${value === null ? 'null' : `'${value}'`} at '${member}' failed to satisfy constraint: ${constraint}`;
}

function violations(value: string | undefined, { member, pattern, max }: Constraint): string[] {
  if (value === undefined) return [];
  const found: string[] = [];
  if (!new RegExp(`^(?:${pattern})$`).test(value)) {
    found.push(violation(value, member, `Member must satisfy regular expression pattern: ${pattern}`));
  }
  if (value.length > max) {
    found.push(violation(value, member, `Member must have length less than or equal to ${max}`));
  }
  if (value.length < 1) {
    found.push(violation(value, member, 'Member must have length greater than or equal to 1'));
  }
  return found;
}

function oneOf<const Value extends string>(value: string, values: readonly Value[]): Value | undefined {
  return values.find((candidate) => candidate === value);
}

function decodeClientContext(encoded: string | undefined): string | undefined {
  if (encoded === undefined) return undefined;
  const invalid = () => invalidRequestContent('Client context must be a valid Base64-encoded JSON object.');
  if (Buffer.byteLength(encoded) > CLIENT_CONTEXT_BYTES) {
    throw invalidRequestContent(
      `Client context must be no more than ${CLIENT_CONTEXT_BYTES} bytes when base64-encoded.`,
    );
  }
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(encoded)) throw invalid();
  const text = Buffer.from(encoded, 'base64').toString('utf8');
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return text;
  } catch {
    // Continues to the same error.
  }
  throw invalid();
}

const enumViolation = (value: string, member: string, values: readonly string[]): string =>
  violation(value, member, `Member must satisfy enum value set: [${values.join(', ')}]`);

function functionViolations(functionName: string, qualifier: string | undefined): string[] {
  const found = [
    ...violations(functionName, CONSTRAINTS.functionName),
    ...violations(qualifier, CONSTRAINTS.qualifier),
  ];
  const bareName = parseFunctionName(functionName)?.name;
  if (functionName.length <= 256 && bareName !== undefined && bareName.length > 64) {
    found.push(violation(functionName, 'functionName', 'Member must have length less than or equal to 64'));
  }
  return found;
}

/** Reads a request that names only a function. Throws the ServiceError that the service would return. */
export function readFunctionRequest(request: RecordedRequest, functionName: string): FunctionRequest {
  const qualifier = request.query['Qualifier'];
  const found = functionViolations(functionName, qualifier);
  if (found.length > 0) throw validationFailed(found);
  return { functionName, qualifier };
}

/** Reads a request about an alias. Throws the ServiceError that the service would return. */
export function readAliasRequest(functionName: string, alias: string): FunctionRequest {
  const found = [...functionViolations(functionName, undefined), ...violations(alias, CONSTRAINTS.aliasName)];
  if (found.length > 0) throw validationFailed(found);
  return { functionName, qualifier: alias };
}

/** Reads a request for the aliases of a function, for all versions or for one. */
export function readAliasesRequest(
  request: RecordedRequest,
  functionName: string,
): FunctionRequest & Readonly<{ version: string | undefined }> {
  const version = request.query['FunctionVersion'];
  const found = [...functionViolations(functionName, undefined), ...violations(version, CONSTRAINTS.version)];
  if (found.length > 0) throw validationFailed(found);
  return { functionName, qualifier: undefined, version };
}

/** Reads a request about an alias or a version. The qualifier is required. */
export function readQualifiedRequest(
  request: RecordedRequest,
  functionName: string,
): FunctionRequest & Readonly<{ qualifier: string }> {
  const qualifier = request.query['Qualifier'];
  const found = functionViolations(functionName, qualifier);
  if (qualifier === undefined) {
    found.push(violation(null, 'qualifier', 'Member must not be null'));
  }
  if (found.length > 0 || qualifier === undefined) throw validationFailed(found);
  return { functionName, qualifier };
}

/** Reads an invocation from a request. Throws the ServiceError that the service would return. */
export function readInvocation(
  request: RecordedRequest,
  functionName: string,
  types: readonly InvocationType[] = INVOCATION_TYPES,
): InvocationRequest {
  const { headers } = request;
  const qualifier = request.query['Qualifier'];
  const tenantId = headers['x-amz-tenant-id'];
  const durableExecutionName = headers['x-amz-durable-execution-name'];
  const typeHeader = headers['x-amz-invocation-type'] ?? 'RequestResponse';
  const logHeader = headers['x-amz-log-type'] ?? 'None';
  const invocationType = oneOf(typeHeader, types);
  const logType = oneOf(logHeader, LOG_TYPES);
  const found = [
    ...functionViolations(functionName, qualifier),
    ...violations(tenantId, CONSTRAINTS.tenantId),
    ...violations(durableExecutionName, CONSTRAINTS.durableExecutionName),
  ];
  if (invocationType === undefined) found.push(enumViolation(typeHeader, 'invocationType', types));
  if (logType === undefined) found.push(enumViolation(logHeader, 'logType', LOG_TYPES));
  if (found.length > 0 || invocationType === undefined) throw validationFailed(found);
  return {
    functionName,
    qualifier,
    invocationType,
    tail: logType === 'Tail',
    clientContext: decodeClientContext(headers['x-amz-client-context']),
    tenantId,
    durableExecutionName,
    payload: request.body,
  };
}

/**
 * How a caller's x-amzn-RequestId is handled. 'honor': the invocation uses it. 'ignore': the invocation
 * gets a new ID. 'reflect': the same, but the response shows the caller's ID, as with some proxies. 'reject': 400.
 */
export type RequestIdRule = 'honor' | 'ignore' | 'reflect' | 'reject';

/** The ID for the environment, the ID in the response, and the error if the caller's ID is rejected. */
export type RequestIds = Readonly<{
  requestId: string;
  shown: string;
  refusal: ServiceError | undefined;
}>;

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

/** Decides the IDs of a request. `fresh` is used if the caller's ID is not. */
export function requestIdsOf(
  { operation, headers }: LambdaRequest,
  { rule, fresh }: Readonly<{ rule: RequestIdRule; fresh: string }>,
): RequestIds {
  const asked = isInvocation(operation) ? headers[REQUEST_ID_HEADER] : undefined;
  const ownId = { requestId: fresh, shown: fresh, refusal: undefined };
  if (asked === undefined || rule === 'ignore') return ownId;
  if (rule === 'reflect') return { ...ownId, shown: asked };
  if (rule === 'reject' || !UUID.test(asked)) {
    return { ...ownId, refusal: invalidRequestContent('The request ID is not valid. It must be a UUID.') };
  }
  return { requestId: asked, shown: asked, refusal: undefined };
}
