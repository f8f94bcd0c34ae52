import type { ThrottleReason } from './capacity.ts';

/** The response to a request, before a fault changes it. */
export type ServiceResponse = Readonly<{
  status: number;
  headers: Readonly<Record<string, string>>;
  /** A stream consists of one event after another. */
  body: Buffer | AsyncIterable<Uint8Array>;
}>;

/** 200 with a JSON document. */
export const jsonResponse = (document: Readonly<Record<string, unknown>>): ServiceResponse => ({
  status: 200,
  headers: { 'content-type': 'application/json' },
  body: Buffer.from(JSON.stringify(document)),
});

/** An error of the service, with the status, type and body that Lambda sends. */
export class ServiceError extends Error {
  readonly status: number;
  readonly type: string;
  readonly body: Readonly<Record<string, unknown>>;
  readonly headers: Readonly<Record<string, string>>;

  constructor(options: {
    status: number;
    type: string;
    body: Readonly<Record<string, unknown>>;
    headers?: Readonly<Record<string, string>>;
  }) {
    super(options.type);
    this.name = 'ServiceError';
    this.status = options.status;
    this.type = options.type;
    this.body = options.body;
    this.headers = options.headers ?? {};
  }

  toResponse(): ServiceResponse {
    return {
      status: this.status,
      headers: {
        'content-type': 'application/json',
        'x-amzn-errortype': this.type,
        ...this.headers,
      },
      body: Buffer.from(JSON.stringify(this.body)),
    };
  }
}

const userError = (status: number, type: string, message: string): ServiceError =>
  new ServiceError({ status, type, body: { Type: 'User', message } });

export const invalidParameterValue = (message: string): ServiceError =>
  userError(400, 'InvalidParameterValueException', message);

export const invalidRequestContent = (message: string): ServiceError =>
  userError(400, 'InvalidRequestContentException', message);

/** 400 for a body that is not JSON in an operation that needs JSON. */
export const serialization = (): ServiceError => userError(400, 'SerializationException', 'Invalid JSON');

export const requestEntityTooLarge = (message: string): ServiceError =>
  userError(413, 'RequestEntityTooLargeException', message);

/** 404. The body of this error has a capital Message. */
export const resourceNotFound = (message: string): ServiceError =>
  new ServiceError({
    status: 404,
    type: 'ResourceNotFoundException',
    body: { Type: 'User', Message: message },
  });

/** 404 for an alias or version without provisioned concurrency. */
export const provisionedConcurrencyConfigNotFound = (): ServiceError =>
  userError(
    404,
    'ProvisionedConcurrencyConfigNotFoundException',
    'No Provisioned Concurrency Config found for this function',
  );

/** An error of EventBridge Schemas, whose bodies have a code. */
export const schemasError = (status: number, type: string, message: string): ServiceError =>
  new ServiceError({ status, type, body: { Code: type, Message: message } });

export const resourceConflict = (message: string): ServiceError =>
  userError(409, 'ResourceConflictException', message);

/** 409 for an idle function. The request wakes it. */
export const codeArtifactUserPending = (): ServiceError =>
  userError(
    409,
    'CodeArtifactUserPendingException',
    'Lambda is initializing your function. It will be ready to invoke shortly.',
  );

/** 409 for an idle version with SnapStart. The body of this error has a capital Message. */
export const snapStartNotReady = (): ServiceError =>
  new ServiceError({
    status: 409,
    type: 'SnapStartNotReadyException',
    body: {
      Type: 'User',
      Message:
        'Lambda is initializing your function. It will be ready to invoke once your function state becomes ACTIVE.',
    },
  });

/** 409. The body of this error also has a capital Message. */
export const durableExecutionAlreadyStarted = (arn: string): ServiceError =>
  new ServiceError({
    status: 409,
    type: 'DurableExecutionAlreadyStartedException',
    body: { Type: 'User', Message: `Execution already started: ${arn}` },
  });

/** All violated constraints in one message, in the service's format. */
export function validationFailed(violations: readonly string[]): ServiceError {
  const count = violations.length === 1 ? '1 validation error' : `${violations.length} validation errors`;
  const message = `${count} detected: ${violations.join('; ')}`;
  return new ServiceError({ status: 400, type: 'ValidationException', body: { message } });
}

export const tooManyRequests = (reason: ThrottleReason): ServiceError =>
  new ServiceError({
    status: 429,
    type: 'TooManyRequestsException',
    body: { Reason: reason, Type: 'User', message: 'Rate Exceeded.' },
  });

/** 403 before the request reaches Lambda. The body has only a message. */
export const notAuthenticated = (type: string, message: string): ServiceError =>
  new ServiceError({ status: 403, type, body: { message } });

/** 404 for a path that matches no operation. */
export const unknownOperation = (): ServiceError =>
  new ServiceError({
    status: 404,
    type: 'UnknownOperationException',
    body: {
      Output: { __type: 'com.amazon.coral.service#UnknownOperationException', message: null },
      Version: '1.0',
    },
  });

const DENIAL_REASONS = {
  'no-identity-policy': (action: string) => `because no identity-based policy allows the ${action} action`,
  'no-resource-policy': (action: string) => `because no resource-based policy allows the ${action} action`,
  'no-session-policy': (action: string) => `because no session policy allows the ${action} action`,
  'no-permissions-boundary': (action: string) =>
    `because no permissions boundary allows the ${action} action`,
  'no-service-control-policy': (action: string) =>
    `because no service control policy allows the ${action} action`,
  'no-resource-control-policy': (action: string) =>
    `because no resource control policy allows the ${action} action`,
  'no-vpc-endpoint-policy': (action: string) => `because no VPC endpoint policy allows the ${action} action`,
  'explicit-deny-identity': () => 'with an explicit deny in an identity-based policy',
  'explicit-deny-resource': () => 'with an explicit deny in a resource-based policy',
  'explicit-deny-session': () => 'with an explicit deny in a session policy',
  'explicit-deny-permissions-boundary': () => 'with an explicit deny in a permissions boundary',
  'explicit-deny-service-control-policy': () => 'with an explicit deny in a service control policy',
  'explicit-deny-vpc-endpoint-policy': () => 'with an explicit deny in a VPC endpoint policy',
} as const;

/** Why access is denied. `principal` is the caller's ARN and has a default. */
export type Denial = Readonly<{ kind: keyof typeof DENIAL_REASONS; principal?: string }>;

/** 403 with IAM's message. */
export function accessDenied(options: {
  denial: Denial;
  /** For example 'lambda:InvokeFunction'. */
  action: string;
  accountId: string;
  resource: string;
  partition: string;
}): ServiceError {
  const { denial, action, accountId, resource, partition } = options;
  const principal =
    denial.principal ?? `arn:${partition}:sts::${accountId}:assumed-role/local-role/local-session`;
  const reason = DENIAL_REASONS[denial.kind](action);
  const message = `User: ${principal} is not authorized to perform: ${action} on resource: ${resource} ${reason}`;
  return action.startsWith('schemas:')
    ? schemasError(403, 'ForbiddenException', message)
    : new ServiceError({ status: 403, type: 'AccessDeniedException', body: { Message: message } });
}
