import { FUNCTION_NAME_PATTERN, parseFunctionName } from './function-name.ts';
import { CLIENT_CONTEXT_BYTES } from './limits.ts';
import { invalidRequestContent, unknownOperation, validationFailed } from './service-errors.ts';

/** An HTTP request as it came. */
export type RecordedRequest = Readonly<{
  method: string;
  /** Without the query, still percent-encoded. */
  path: string;
  query: Readonly<Record<string, string>>;
  /** Names in lower case. */
  headers: Readonly<Record<string, string>>;
  body: Buffer;
  /** Milliseconds since 1970. */
  receivedAt: number;
}>;

/** The request with what a fault or a denial may want to look at; undefined where it is no invocation. */
export type LambdaRequest = RecordedRequest &
  Readonly<{
    /** Bare name. */
    functionName: string | undefined;
    qualifier: string | undefined;
    invocationType: string | undefined;
    tenantId: string | undefined;
    durableExecutionName: string | undefined;
  }>;

export const INVOCATION_TYPES = ['RequestResponse', 'Event', 'DryRun'] as const;
export type InvocationType = (typeof INVOCATION_TYPES)[number];
const LOG_TYPES = ['None', 'Tail'] as const;

/** An invocation whose parameters are within their constraints. */
export type InvocationRequest = Readonly<{
  /** As in the path, decoded: a name or an ARN. */
  functionName: string;
  qualifier: string | undefined;
  invocationType: InvocationType;
  tail: boolean;
  /** JSON text. */
  clientContext: string | undefined;
  tenantId: string | undefined;
  durableExecutionName: string | undefined;
  payload: Buffer;
}>;

const INVOCATION_PATH = /^\/2015-03-31\/functions\/(.*)\/invocations\/?$/;

function encodedFunctionName({ method, path }: RecordedRequest): string | undefined {
  return method === 'POST' ? INVOCATION_PATH.exec(path)?.[1] : undefined;
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** Looks at a request without judging it. */
export function describeRequest(request: RecordedRequest): LambdaRequest {
  const encoded = encodedFunctionName(request);
  const reference = encoded === undefined ? undefined : parseFunctionName(decode(encoded));
  const isInvocation = encoded !== undefined;
  return {
    ...request,
    functionName: reference?.name,
    qualifier: request.query['Qualifier'] ?? reference?.qualifier,
    invocationType: isInvocation
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
  tenantId: { member: 'tenantId', pattern: '[a-zA-Z0-9\\._:\\/=+\\-@ ]+', max: 256 },
  durableExecutionName: { member: 'durableExecutionName', pattern: '[a-zA-Z0-9-_]+', max: 64 },
} as const;

function violation(value: string, member: string, constraint: string): string {
  return `Value '${value}' at '${member}' failed to satisfy constraint: ${constraint}`;
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
    // Falls through to the same answer.
  }
  throw invalid();
}

/** Reads an invocation from a request; throws the ServiceError that the service would answer. */
export function readInvocation(request: RecordedRequest): InvocationRequest {
  const encoded = encodedFunctionName(request);
  if (encoded === undefined) throw unknownOperation();
  const functionName = decode(encoded);
  const { headers } = request;
  const qualifier = request.query['Qualifier'];
  const tenantId = headers['x-amz-tenant-id'];
  const durableExecutionName = headers['x-amz-durable-execution-name'];
  const typeHeader = headers['x-amz-invocation-type'] ?? 'RequestResponse';
  const logHeader = headers['x-amz-log-type'] ?? 'None';
  const invocationType = oneOf(typeHeader, INVOCATION_TYPES);
  const logType = oneOf(logHeader, LOG_TYPES);
  const found = [
    ...violations(functionName, CONSTRAINTS.functionName),
    ...violations(qualifier, CONSTRAINTS.qualifier),
    ...violations(tenantId, CONSTRAINTS.tenantId),
    ...violations(durableExecutionName, CONSTRAINTS.durableExecutionName),
  ];
  const bareName = parseFunctionName(functionName)?.name;
  if (functionName.length <= 256 && bareName !== undefined && bareName.length > 64) {
    found.push(violation(functionName, 'functionName', 'Member must have length less than or equal to 64'));
  }
  const enumViolation = (value: string, member: string, values: readonly string[]) =>
    violation(value, member, `Member must satisfy enum value set: [${values.join(', ')}]`);
  if (invocationType === undefined) found.push(enumViolation(typeHeader, 'invocationType', INVOCATION_TYPES));
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
