import { randomBytes } from 'node:crypto';
import { Capacity } from './capacity.ts';
import type { DeployedVersion } from './deployed-version.ts';
import type { StartedDurableExecution } from './durable/executions.ts';
import type { DurablePart } from './durable/part.ts';
import { EventQueue } from './event-queue.ts';
import type { RuntimeInvocation } from './execution-environment.ts';
import { eventInvokeConfiguration, functionConfiguration } from './function-configuration.ts';
import {
  type EventInvokeConfig,
  type FunctionDefinition,
  type FunctionVersion,
  LATEST,
} from './function-definition.ts';
import { functionArn, parseFunctionName, partitionOf } from './function-name.ts';
import { FunctionRegistry } from './function-registry.ts';
import { refusal, type UpdateCourse } from './function-states.ts';
import { type Execution, InvocationRunner, type RunResult } from './invocation-runner.ts';
import { checkPayload } from './json-payload.ts';
import { ASYNC_PAYLOAD_BYTES, SYNC_PAYLOAD_BYTES } from './limits.ts';
import {
  CloudWatchLogs,
  logsArn,
  logsErrorResponse,
  logsOperation,
  logsTarget,
  readLogsRequest,
  unknownLogsOperation,
} from './logs/cloudwatch-logs.ts';
import { LogStore } from './logs/log-store.ts';
import { type DurableOperationName, findRoute, type Route } from './operations.ts';
import { LIST_BOUNDS, pageOf, readPageRequest } from './paging.ts';
import {
  type FunctionRequest,
  type InvocationRequest,
  type LambdaRequest,
  type RequestIds,
  readAliasesRequest,
  readAliasRequest,
  readFunctionRequest,
  readInvocation,
  readQualifiedRequest,
  STREAM_INVOCATION_TYPES,
} from './request.ts';
import { responseEvents } from './response-events.ts';
import {
  accessDenied,
  type Denial,
  invalidParameterValue,
  jsonResponse,
  provisionedConcurrencyConfigNotFound,
  requestEntityTooLarge,
  resourceNotFound,
  ServiceError,
  type ServiceResponse,
  tooManyRequests,
  unknownOperation,
} from './service-errors.ts';
import { signatureProblem } from './signature.ts';
import type { StreamedResponse } from './streamed-response.ts';
import { describeRegistry, describeSchema, schemasArn } from './test-events.ts';

/**
 * Where the documentation of response streaming and a recording of the service differ: whether the invocation
 * type matters, and whether a response reports an error.
 */
export type StreamingRules = 'documented' | 'recorded';

/** The options of a local Lambda. */
export type ServiceOptions = Readonly<{
  functions: Readonly<Record<string, FunctionDefinition>>;
  /** Default: us-east-1. */
  region?: string;
  /** Default: 123456789012. */
  accountId?: string;
  /** The concurrency limit of the account. Default: 1000. */
  concurrencyLimit?: number;
  /** The delays before the second and third attempts of a failing Event. Default: one and two minutes. */
  asyncRetryDelaysMs?: readonly [number, number];
  /** The real duration, in seconds, of one second of an event's maximum age. Default: 1. */
  eventAgeScale?: number;
  /** Default: documented. */
  streaming?: StreamingRules;
  /** The delays before a failed invocation of a durable execution is retried. Default: 1, 2, 4 and 8 seconds. */
  durableRetryDelaysMs?: readonly number[];
  /** The clock for logs and state steps, in milliseconds since 1970. Default: the system clock. */
  now?: () => number;
  /** Decides which requests IAM denies. */
  deny?: (request: LambdaRequest) => Denial | undefined;
  /**
   * Returns a number from 0 up to 1. Called once per invocation of a weighted alias, and once per attempt of
   * an Event. Default: Math.random.
   */
  random?: () => number;
}>;

/** A request in the service. */
type Call = Readonly<{ request: LambdaRequest; requestId: string; route: Route }>;

/** The function of this account that a request names. The ARN includes the qualifier, if any. */
type Target = Readonly<{ name: string; qualifier: string | undefined; arn: string }>;

/** An accepted invocation. */
type Checked = Readonly<{ invocation: InvocationRequest; target: Target; deployed: DeployedVersion }>;

const DRY_RUN_RESPONSE: ServiceResponse = { status: 204, headers: {}, body: Buffer.alloc(0) };

function logResultOf({ definition: { logDestination } }: FunctionVersion, { log }: RunResult): string {
  const bytes = logDestination === undefined ? log.bytes() : Buffer.from(JSON.stringify(logDestination));
  return bytes.toString('base64');
}

/** The API without HTTP: it turns a request into a response. */
export class Service {
  readonly region: string;
  readonly accountId: string;
  executions: Execution[] = [];
  readonly logStore: LogStore;
  readonly cloudWatchLogs: CloudWatchLogs;
  /** The endpoint of this service. Undefined until the server listens. */
  url: string | undefined;
  readonly #deny: ServiceOptions['deny'];
  readonly #streaming: StreamingRules;
  readonly #functions: FunctionRegistry;
  readonly #capacity: Capacity;
  readonly #runner: InvocationRunner;
  readonly #events: EventQueue;
  readonly #durableRetryDelaysMs: readonly number[];
  #durable: DurablePart | undefined;
  #closing = false;
  #whenIdle: (() => void)[] = [];

  constructor(options: ServiceOptions) {
    this.region = options.region ?? 'us-east-1';
    this.accountId = options.accountId ?? '123456789012';
    this.#deny = options.deny;
    this.#streaming = options.streaming ?? 'documented';
    const now = options.now ?? Date.now;
    this.logStore = new LogStore(now);
    this.cloudWatchLogs = new CloudWatchLogs(this.logStore, now);
    this.#functions = new FunctionRegistry({
      now: options.now ?? (() => performance.now()),
      random: options.random ?? Math.random,
    });
    this.#capacity = new Capacity(options.concurrencyLimit ?? 1000);
    this.#runner = new InvocationRunner({
      region: this.region,
      now,
      onExecution: (execution) => this.executions.push(execution),
      onLog: (write) => this.logStore.write(write),
      isCurrent: (version) => this.#functions.isCurrent(version),
    });
    this.#events = new EventQueue({
      capacity: this.#capacity,
      retryDelaysMs: options.asyncRetryDelaysMs ?? [60_000, 120_000],
      ageScale: options.eventAgeScale ?? 1,
      run: (version, invocation) => this.#runner.run(version, invocation),
      onChange: () => this.#noticeIdle(),
    });
    this.#durableRetryDelaysMs = options.durableRetryDelaysMs ?? [1_000, 2_000, 4_000, 8_000];
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

  /** The durable executions of one function or of all functions since the last reset. */
  durableExecutions(functionName: string | undefined): StartedDurableExecution[] {
    return this.#durable?.started(functionName) ?? [];
  }

  /** Removes all executions and logs. Running durable executions are not invoked again. */
  forget(): void {
    this.executions = [];
    this.logStore.forget();
    this.cloudWatchLogs.reset();
    this.#durable?.forget();
  }

  idle(): Promise<void> {
    return new Promise((resolve) => {
      this.#whenIdle.push(resolve);
      this.#noticeIdle();
    });
  }

  async close(): Promise<void> {
    this.#closing = true;
    this.#durable?.close();
    this.#events.stop();
    await this.#runner.close();
  }

  /** Applies the service's checks to a request, in the service's order, and handles it. */
  async respond(request: LambdaRequest, { requestId, refusal }: RequestIds): Promise<ServiceResponse> {
    const logsOperationName = logsTarget(request);
    if (logsOperationName !== undefined) return this.#aboutLogs(request, logsOperationName);
    try {
      const route = findRoute(request);
      const [service = 'lambda'] = route?.action.split(':') ?? [];
      this.#authenticate(request, service);
      if (refusal !== undefined) throw refusal;
      if (route === undefined) throw unknownOperation();
      return await this.#perform({ request, requestId, route });
    } catch (error) {
      if (error instanceof ServiceError) return error.toResponse();
      throw error;
    }
  }

  #authenticate({ headers, receivedAt }: LambdaRequest, service: string): void {
    const problem = signatureProblem(headers, { region: this.region, service, now: receivedAt });
    if (problem !== undefined) throw problem;
  }

  #aboutLogs(request: LambdaRequest, operationName: string): ServiceResponse {
    try {
      this.#authenticate(request, 'logs');
      const operation = logsOperation(operationName);
      if (operation === undefined) throw unknownLogsOperation();
      const asked = readLogsRequest(operation, request.body);
      this.#authorise(request, { action: `logs:${operation}` }, { arn: logsArn(asked, this) });
      return this.cloudWatchLogs.respond(asked);
    } catch (error) {
      if (error instanceof ServiceError) return logsErrorResponse(error);
      throw error;
    }
  }

  async #perform(call: Call): Promise<ServiceResponse> {
    const { operation } = call.route;
    switch (operation) {
      case 'Invoke':
        return this.#invoke(call);
      case 'InvokeWithResponseStream':
        return this.#invokeWithResponseStream(call);
      case 'GetFunctionConfiguration':
        return this.#getFunctionConfiguration(call);
      case 'GetFunctionEventInvokeConfig':
        return this.#getFunctionEventInvokeConfig(call);
      case 'GetAlias':
        return this.#getAlias(call);
      case 'ListAliases':
        return this.#listAliases(call);
      case 'GetProvisionedConcurrencyConfig':
        return this.#getProvisionedConcurrencyConfig(call);
      case 'DescribeRegistry':
      case 'DescribeSchema':
        return this.#aboutTestEvents(call);
      default:
        return this.#aboutExecution(call, operation);
    }
  }

  /** Loads the part for durable executions, which most servers do not need. */
  async #loadDurable(): Promise<DurablePart> {
    const { DurablePart } = await import('./durable/part.ts');
    this.#durable ??= new DurablePart({
      region: this.region,
      accountId: this.accountId,
      capacity: this.#capacity,
      retryDelaysMs: this.#durableRetryDelaysMs,
      findVersion: (name, version) => this.#functions.find(name, version)?.running,
      run: (version, invocation, signal) => this.#runner.run(version, invocation, { signal }),
      url: () => this.url,
      onChange: () => this.#noticeIdle(),
    });
    if (this.#closing) this.#durable.close();
    return this.#durable;
  }

  async #invoke(call: Call): Promise<ServiceResponse> {
    const { invocation, target, deployed } = await this.#check(
      call,
      readInvocation(call.request, call.route.label),
    );
    if (invocation.invocationType === 'DryRun') return DRY_RUN_RESPONSE;
    const common = this.#runtimeInvocation(call, invocation, target);
    const version = this.#admit(deployed);
    if (version.definition.durable !== undefined) {
      const durable = await this.#loadDurable();
      return durable.invoke(version, invocation, common);
    }
    if (invocation.invocationType === 'Event') return this.#accept(target, common);
    const result = await this.#run(version, common);
    const unreported = this.#streaming === 'recorded' && result.functionError && result.written !== undefined;
    const written = unreported ? result.written : undefined;
    return {
      status: 200,
      headers: {
        'content-type': result.written?.length ? 'application/octet-stream' : 'application/json',
        'x-amz-executed-version': version.version,
        ...(result.functionError && !unreported ? { 'x-amz-function-error': 'Unhandled' } : {}),
        ...(invocation.tail ? { 'x-amz-log-result': logResultOf(version, result) } : {}),
        'x-amzn-remapped-content-length': '0',
        'x-amzn-trace-id': common.traceId,
      },
      body: written ?? result.body,
    };
  }

  #accept(target: Target, invocation: RuntimeInvocation): ServiceResponse {
    this.#events.accept({
      resolveVersion: () => this.#functions.route(target.name, target.qualifier)?.running,
      invocation: { ...invocation, clientContext: undefined },
      config: this.#eventInvokeConfig(target) ?? {},
    });
    return {
      status: 202,
      headers: { 'x-amzn-remapped-content-length': '0', 'x-amzn-trace-id': invocation.traceId },
      body: Buffer.alloc(0),
    };
  }

  async #invokeWithResponseStream(call: Call): Promise<ServiceResponse> {
    const { request, route } = call;
    const recorded = this.#streaming === 'recorded';
    const { 'x-amz-invocation-type': _ignored, ...headers } = request.headers;
    const { invocation, target, deployed } = await this.#check(
      call,
      readInvocation(recorded ? { ...request, headers } : request, route.label, STREAM_INVOCATION_TYPES),
    );
    if (invocation.invocationType === 'DryRun') return DRY_RUN_RESPONSE;
    const runtimeInvocation = this.#runtimeInvocation(call, invocation, target);
    const version = this.#admit(deployed);
    const opened = Promise.withResolvers<StreamedResponse>();
    const running = this.#run(version, runtimeInvocation, opened.resolve);
    const response = await Promise.race([opened.promise, running.then(() => undefined)]);
    return {
      status: 200,
      headers: {
        'content-type': 'application/vnd.amazon.eventstream',
        'x-amz-executed-version': version.version,
        'x-amzn-trace-id': runtimeInvocation.traceId,
        'x-amzn-remapped-content-type': response?.contentType ?? 'application/json',
      },
      body: responseEvents({
        response,
        running,
        reportsErrors: !recorded,
        logResultOf: (result) => (invocation.tail ? logResultOf(version, result) : undefined),
      }),
    };
  }

  #getFunctionConfiguration({ request, route }: Call): ServiceResponse {
    const target = this.#resolveReference(readFunctionRequest(request, route.label), route);
    this.#authorise(request, route, target);
    const { region, accountId } = this;
    const deployed = this.#functions.find(target.name, target.qualifier);
    const status = this.#found(target, deployed).poll();
    return jsonResponse(functionConfiguration({ status, arn: target.arn, region, accountId }));
  }

  #getFunctionEventInvokeConfig({ request, route }: Call): ServiceResponse {
    const target = this.#resolveReference(readFunctionRequest(request, route.label), route);
    this.#authorise(request, route, target);
    const { region, accountId } = this;
    const { name, qualifier = LATEST } = target;
    const arn = functionArn({ region, accountId, name, qualifier });
    const config = this.#eventInvokeConfig(target);
    const version = this.#functions.find(name)?.running;
    if (config === undefined || version === undefined) {
      throw resourceNotFound(`The function ${arn} doesn't have an EventInvokeConfig`);
    }
    return jsonResponse(eventInvokeConfiguration({ config, arn, deployedAt: version.deployedAt }));
  }

  #eventInvokeConfig({ name, qualifier = LATEST }: Target): EventInvokeConfig | undefined {
    return this.#functions.find(name)?.running.definition.eventInvokeConfigs?.[qualifier];
  }

  #getAlias({ request, route }: Call): ServiceResponse {
    const target = this.#resolveReference(readAliasRequest(route.label, route.member ?? ''), route);
    const { name, qualifier, arn } = target;
    this.#authorise(request, route, { arn: functionArn({ ...this.#account, name }) });
    const alias = this.#functions.aliases(name)?.find((one) => one.name === qualifier);
    if (alias === undefined) throw resourceNotFound(`Cannot find alias arn: ${arn}`);
    return jsonResponse(alias.poll({ ...this.#account, functionName: name }));
  }

  #listAliases({ request, route }: Call): ServiceResponse {
    const { version, ...reference } = readAliasesRequest(request, route.label);
    const page = readPageRequest(request.query, LIST_BOUNDS);
    const { name } = this.#resolveReference(reference, route);
    const arn = functionArn({ ...this.#account, name });
    this.#authorise(request, route, { arn });
    const aliases = this.#functions.aliases(name);
    if (aliases === undefined) throw resourceNotFound(`Function not found: ${arn}`);
    const wanted = aliases.filter((alias) => version === undefined || alias.version === version);
    const { items, nextMarker } = pageOf(wanted, page, (alias) => alias.name);
    return jsonResponse({
      Aliases: items.map((alias) => alias.listed({ ...this.#account, functionName: name })),
      NextMarker: nextMarker,
    });
  }

  #getProvisionedConcurrencyConfig({ request, route }: Call): ServiceResponse {
    const reference = readQualifiedRequest(request, route.label);
    const { qualifier } = reference;
    const { name, arn } = this.#resolveReference(reference, route);
    this.#authorise(request, route, { arn });
    if (qualifier === LATEST) {
      throw invalidParameterValue('The function resource provided must be an alias or a published version.');
    }
    if (this.#functions.find(name, qualifier) === undefined) {
      const missing = /^\d+$/.test(qualifier) ? 'Function not found' : 'Cannot find alias arn';
      throw resourceNotFound(`${missing}: ${arn}`);
    }
    const provisioned = this.#functions.provisioned(name, qualifier);
    if (provisioned === undefined) throw provisionedConcurrencyConfigNotFound();
    return jsonResponse(provisioned.poll());
  }

  #aboutTestEvents({ request, route }: Call): ServiceResponse {
    const about = {
      registryName: route.label,
      schemaName: route.member,
      schemaVersion: request.query['schemaVersion'],
      account: this.#account,
      saved: this.#functions.testEvents,
    };
    this.#authorise(request, route, { arn: schemasArn(about) });
    return about.schemaName === undefined ? describeRegistry(about) : describeSchema(about);
  }

  get #account(): Readonly<{ region: string; accountId: string }> {
    const { region, accountId } = this;
    return { region, accountId };
  }

  /** Applies all checks of an invocation that come before its payload is read. */
  async #check({ request, route }: Call, invocation: InvocationRequest): Promise<Checked> {
    const target = this.#resolveReference(invocation, route);
    this.#checkSize(invocation);
    this.#authorise(request, route, target);
    const deployed = this.#found(target, this.#functions.route(target.name, target.qualifier));
    this.#checkAgainstFunction(invocation, deployed.running);
    if (deployed.running.definition.durable !== undefined) {
      const durable = await this.#loadDurable();
      durable.check(invocation, deployed.running, target.qualifier);
    }
    return { invocation, target, deployed };
  }

  async #aboutExecution({ request, route }: Call, operation: DurableOperationName): Promise<ServiceResponse> {
    const durable = await this.#loadDurable();
    const { label } = route;
    const authorize = () => this.#authorise(request, route, { arn: label });
    return durable.respond(operation, { request, label, authorize });
  }

  #runtimeInvocation({ requestId }: Call, invocation: InvocationRequest, { arn }: Target): RuntimeInvocation {
    const payload = invocation.payload.length === 0 ? Buffer.from('{}') : invocation.payload;
    checkPayload(payload);
    const { clientContext, tenantId } = invocation;
    const traceId = `Root=1-${Math.floor(Date.now() / 1000).toString(16)}-${randomBytes(12).toString('hex')};Sampled=0`;
    return { requestId, invokedFunctionArn: arn, payload, clientContext, tenantId, traceId };
  }

  #found({ arn }: Target, deployed: DeployedVersion | undefined): DeployedVersion {
    if (deployed === undefined) throw resourceNotFound(`Function not found: ${arn}`);
    return deployed;
  }

  /** The code to run. Throws if the function's state does not allow it. */
  #admit(deployed: DeployedVersion): FunctionVersion {
    const { version, state } = deployed.invoke();
    const refused = refusal(state.state, version.definition.snapStart === true && version.version !== LATEST);
    if (refused !== undefined) throw refused;
    return version;
  }

  #authorise(request: LambdaRequest, { action }: Pick<Route, 'action'>, { arn }: Pick<Target, 'arn'>): void {
    const denial = this.#deny?.(request);
    if (denial === undefined) return;
    const { accountId, region } = this;
    throw accessDenied({ denial, action, accountId, resource: arn, partition: partitionOf(region) });
  }

  #resolveReference({ functionName, qualifier }: FunctionRequest, { action }: Route): Target {
    const reference = parseFunctionName(functionName);
    // The request was already checked against the pattern.
    if (reference === undefined) throw new Error(`${functionName} is not a function name.`);
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

  /** Runs an invocation now. Throws if there is no capacity. */
  async #run(
    version: FunctionVersion,
    invocation: RuntimeInvocation,
    onStream?: (response: StreamedResponse) => void,
  ): Promise<RunResult> {
    const { functionName, definition } = version;
    const throttled = this.#capacity.acquire(functionName, definition.reservedConcurrency);
    if (throttled !== undefined) throw tooManyRequests(throttled);
    try {
      return await this.#runner.run(version, invocation, { onStream });
    } finally {
      this.#capacity.release(functionName);
      this.#noticeIdle();
    }
  }

  #noticeIdle(): void {
    // Later, so that an event waiting for capacity can take it first.
    setImmediate(() => {
      if (this.#capacity.total + this.#events.active + (this.#durable?.active ?? 0) > 0) return;
      const waiting = this.#whenIdle;
      this.#whenIdle = [];
      for (const resolve of waiting) resolve();
    });
  }
}
