import { randomBytes } from 'node:crypto';
import { Capacity } from './capacity.ts';
import type { DeployedVersion } from './deployed-version.ts';
import { EventQueue } from './event-queue.ts';
import type { RuntimeInvocation } from './execution-environment.ts';
import { functionConfiguration } from './function-configuration.ts';
import { type FunctionDefinition, type FunctionVersion, LATEST } from './function-definition.ts';
import { functionArn, parseFunctionName, partitionOf } from './function-name.ts';
import { FunctionRegistry } from './function-registry.ts';
import { refusal, type UpdateCourse } from './function-states.ts';
import { type Execution, InvocationRunner, type RunResult } from './invocation-runner.ts';
import { checkPayload } from './json-payload.ts';
import { ASYNC_PAYLOAD_BYTES, SYNC_PAYLOAD_BYTES } from './limits.ts';
import { findRoute, type Operation, type Route } from './operations.ts';
import {
  type FunctionRequest,
  type InvocationRequest,
  type LambdaRequest,
  readFunctionRequest,
  readInvocation,
} from './request.ts';
import {
  type Answer,
  accessDenied,
  type Denial,
  invalidParameterValue,
  jsonAnswer,
  requestEntityTooLarge,
  resourceNotFound,
  ServiceError,
  tooManyRequests,
  unknownOperation,
} from './service-errors.ts';
import { signatureProblem } from './signature.ts';

/** What a local Lambda is made of. */
export type ServiceOptions = Readonly<{
  functions: Readonly<Record<string, FunctionDefinition>>;
  /** Default us-east-1. */
  region?: string;
  /** Default 123456789012. */
  accountId?: string;
  /** Of the account; default 1000. */
  concurrencyLimit?: number;
  /** Before the second and the third attempt of a failing Event; default one and two minutes. */
  asyncRetryDelaysMs?: readonly [number, number];
  /** Says which requests IAM refuses. */
  deny?: (request: LambdaRequest) => Denial | undefined;
}>;

/** A request on its way through the service. */
type Call = Readonly<{ request: LambdaRequest; requestId: string; route: Route }>;

/** Which function of this account a request means; the ARN has the qualifier, where there is one. */
type Target = Readonly<{ name: string; qualifier: string | undefined; arn: string }>;

/** The API without its HTTP: a request in, an answer out. */
export class Service {
  readonly region: string;
  readonly accountId: string;
  executions: Execution[] = [];
  readonly #deny: ServiceOptions['deny'];
  readonly #functions = new FunctionRegistry();
  readonly #capacity: Capacity;
  readonly #runner: InvocationRunner;
  readonly #events: EventQueue;
  readonly #operations: Readonly<Record<Operation, (call: Call) => Answer | Promise<Answer>>> = {
    Invoke: (call) => this.#invoke(call),
    GetFunctionConfiguration: (call) => this.#getFunctionConfiguration(call),
  };
  #whenIdle: (() => void)[] = [];

  constructor(options: ServiceOptions) {
    this.region = options.region ?? 'us-east-1';
    this.accountId = options.accountId ?? '123456789012';
    this.#deny = options.deny;
    this.#capacity = new Capacity(options.concurrencyLimit ?? 1000);
    this.#runner = new InvocationRunner({
      region: this.region,
      onExecution: (execution) => this.executions.push(execution),
      isCurrent: (version) => this.#functions.isCurrent(version),
    });
    this.#events = new EventQueue({
      capacity: this.#capacity,
      retryDelaysMs: options.asyncRetryDelaysMs ?? [60_000, 120_000],
      run: (version, invocation) => this.#runner.run(version, invocation),
      onChange: () => this.#noticeIdle(),
    });
    for (const [name, definition] of Object.entries(options.functions)) this.setFunction(name, definition);
  }

  setFunction(name: string, definition: FunctionDefinition): void {
    this.#functions.set(name, definition);
    this.#runner.retire();
    this.#capacity.wake();
  }

  updateFunction(options: { name: string; definition: FunctionDefinition; course: UpdateCourse }): void {
    this.#functions.update(options);
  }

  idle(): Promise<void> {
    return new Promise((resolve) => {
      this.#whenIdle.push(resolve);
      this.#noticeIdle();
    });
  }

  async close(): Promise<void> {
    this.#events.stop();
    await this.#runner.close();
  }

  /** Takes a request through every check the service makes, in its order, and does what it asks for. */
  async answer(request: LambdaRequest, requestId: string): Promise<Answer> {
    try {
      const problem = signatureProblem(request.headers, this.region);
      if (problem !== undefined) throw problem;
      const route = findRoute(request);
      if (route === undefined) throw unknownOperation();
      return await this.#operations[route.operation]({ request, requestId, route });
    } catch (error) {
      if (error instanceof ServiceError) return error.toAnswer();
      throw error;
    }
  }

  async #invoke({ request, requestId, route }: Call): Promise<Answer> {
    const invocation = readInvocation(request, route.label);
    const target = this.#resolveReference(invocation, route);
    this.#checkSize(invocation);
    this.#authorise(request, route, target);
    const deployed = this.#deployedVersion(target);
    this.#checkAgainstFunction(invocation, deployed.running);
    if (invocation.invocationType === 'DryRun') return { status: 204, headers: {}, body: Buffer.alloc(0) };
    const payload = invocation.payload.length === 0 ? Buffer.from('{}') : invocation.payload;
    checkPayload(payload);
    const version = this.#admit(deployed);
    const traceId = `Root=1-${Math.floor(Date.now() / 1000).toString(16)}-${randomBytes(12).toString('hex')};Sampled=0`;
    const common = {
      requestId,
      invokedFunctionArn: target.arn,
      payload,
      tenantId: invocation.tenantId,
      traceId,
    };
    if (invocation.invocationType === 'Event') {
      const resolveVersion = () => this.#functions.find(target.name, target.qualifier)?.running;
      this.#events.accept(resolveVersion, { ...common, clientContext: undefined });
      return {
        status: 202,
        headers: { 'x-amzn-remapped-content-length': '0', 'x-amzn-trace-id': traceId },
        body: Buffer.alloc(0),
      };
    }
    return await this.#runNow({
      version,
      invocation: { ...common, clientContext: invocation.clientContext },
      tail: invocation.tail,
    });
  }

  #getFunctionConfiguration({ request, route }: Call): Answer {
    const target = this.#resolveReference(readFunctionRequest(request, route.label), route);
    this.#authorise(request, route, target);
    const { region, accountId } = this;
    const status = this.#deployedVersion(target).poll();
    return jsonAnswer(functionConfiguration({ status, arn: target.arn, region, accountId }));
  }

  #deployedVersion({ name, qualifier, arn }: Target): DeployedVersion {
    const deployed = this.#functions.find(name, qualifier);
    if (deployed === undefined) throw resourceNotFound(`Function not found: ${arn}`);
    return deployed;
  }

  /** The code to run; throws where the function's state forbids it. */
  #admit(deployed: DeployedVersion): FunctionVersion {
    const { version, state } = deployed.invoke();
    const refused = refusal(state.state, version.definition.snapStart === true && version.version !== LATEST);
    if (refused !== undefined) throw refused;
    return version;
  }

  #authorise(request: LambdaRequest, { action }: Route, { arn }: Target): void {
    const denial = this.#deny?.(request);
    if (denial === undefined) return;
    const { accountId, region } = this;
    throw accessDenied({ denial, action, accountId, resource: arn, partition: partitionOf(region) });
  }

  #resolveReference({ functionName, qualifier }: FunctionRequest, { action }: Route): Target {
    const reference = parseFunctionName(functionName);
    // What reads requests has checked the pattern.
    if (reference === undefined) throw new Error(`${functionName} is no function name.`);
    const { region, accountId } = this;
    if (reference.region !== undefined && reference.region !== region) {
      throw resourceNotFound(
        `Functions from '${reference.region}' are not reachable in this region ('${region}')`,
      );
    }
    const target = { name: reference.name, qualifier: qualifier ?? reference.qualifier };
    if (reference.accountId !== undefined && reference.accountId !== accountId) {
      throw accessDenied({
        denial: { kind: 'no-resource-policy' },
        action,
        accountId,
        resource: functionArn({ region, accountId: reference.accountId, ...target }),
        partition: partitionOf(region),
      });
    }
    if (reference.qualifier !== undefined && qualifier !== undefined && reference.qualifier !== qualifier) {
      throw invalidParameterValue(
        'The derived qualifier from the function name does not match the specified qualifier.',
      );
    }
    return { ...target, arn: functionArn({ region, accountId, ...target }) };
  }

  #checkSize({ invocationType, payload }: InvocationRequest): void {
    const limit = invocationType === 'Event' ? ASYNC_PAYLOAD_BYTES : SYNC_PAYLOAD_BYTES;
    if (payload.length <= limit) return;
    throw requestEntityTooLarge(
      `${payload.length} byte payload is too large for the ${invocationType} invocation type (limit ${limit} bytes)`,
    );
  }

  #checkAgainstFunction(
    { tenantId, tail, invocationType }: InvocationRequest,
    version: FunctionVersion,
  ): void {
    const { definition } = version;
    if (definition.tenantIsolation && tenantId === undefined) {
      throw invalidParameterValue(
        'The invoked function is enabled with tenancy configuration. Add a valid tenant ID in your request and try again.',
      );
    }
    if (!definition.tenantIsolation && tenantId !== undefined) {
      throw invalidParameterValue(
        'The invoked function is not enabled with tenancy configuration. Remove the tenant ID from your request and try again.',
      );
    }
    if (definition.tailLogsUnsupported && tail && invocationType === 'RequestResponse') {
      throw invalidParameterValue('Tail logs are not supported for this function.');
    }
  }

  async #runNow(options: {
    version: FunctionVersion;
    invocation: RuntimeInvocation;
    tail: boolean;
  }): Promise<Answer> {
    const { version, invocation, tail } = options;
    const { functionName, definition } = version;
    const throttled = this.#capacity.acquire(functionName, definition.reservedConcurrency);
    if (throttled !== undefined) throw tooManyRequests(throttled);
    let result: RunResult;
    try {
      result = await this.#runner.run(version, invocation);
    } finally {
      this.#capacity.release(functionName);
      this.#noticeIdle();
    }
    const log =
      definition.logDestination === undefined
        ? result.log.bytes()
        : Buffer.from(JSON.stringify(definition.logDestination));
    return {
      status: 200,
      headers: {
        'content-type': 'application/json',
        'x-amz-executed-version': version.version,
        ...(result.functionError ? { 'x-amz-function-error': 'Unhandled' } : {}),
        ...(tail ? { 'x-amz-log-result': log.toString('base64') } : {}),
        'x-amzn-remapped-content-length': '0',
        'x-amzn-trace-id': invocation.traceId,
      },
      body: result.body,
    };
  }

  #noticeIdle(): void {
    // Later, so that an event that waited for capacity can take it first.
    setImmediate(() => {
      if (this.#capacity.total + this.#events.active > 0) return;
      const waiting = this.#whenIdle;
      this.#whenIdle = [];
      for (const resolve of waiting) resolve();
    });
  }
}
