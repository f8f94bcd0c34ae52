import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { headersOf, type Listening, listen } from '@aws-lambda-invoke/local-server';
import type { StartedDurableExecution } from './durable/executions.ts';
import { deliver, type Fault, replacesHandler } from './faults.ts';
import type { FunctionDefinition } from './function-definition.ts';
import type { UpdateCourse } from './function-states.ts';
import type { Execution } from './invocation-runner.ts';
import { type LogsRates, logsTarget, type Paging } from './logs/cloudwatch-logs.ts';
import type { DeliveryChooser, LogEvent, LogWrite } from './logs/log-store.ts';
import {
  describeRequest,
  type LambdaRequest,
  REQUEST_ID_HEADER,
  type RecordedRequest,
  type RequestIdRule,
  type RequestIds,
  requestIdsOf,
} from './request.ts';
import { Service, type ServiceOptions } from './service.ts';
import { ServiceError, type ServiceResponse } from './service-errors.ts';

export type { StartedDurableExecution } from './durable/executions.ts';
export { type Fault, LOGS_THROTTLE, throttle } from './faults.ts';
export type { FunctionDefinition } from './function-definition.ts';
export type { StateStep, UpdateCourse } from './function-states.ts';
export type { Execution } from './invocation-runner.ts';
export type { LogsRates, Paging } from './logs/cloudwatch-logs.ts';
export type { DeliveryChooser, LogDelivery, LogEvent, LogWrite } from './logs/log-store.ts';
export type { Operation } from './operations.ts';
export type { LambdaRequest, RecordedRequest, RequestIdRule } from './request.ts';
export type { Lasting } from './script.ts';
export type { Denial } from './service-errors.ts';

/** Returns the fault for a request, if any. `n` counts requests from 0 and restarts with each setFault. */
export type FaultChooser = (request: LambdaRequest, n: number) => Fault | undefined;

/** Decides how the request ID of a caller is handled. */
export type RequestIdChooser = (request: LambdaRequest) => RequestIdRule;

/** The local CloudWatch Logs. */
export type LocalLogs = Readonly<{
  /** All events from functions and write(), in the order of the writes, even if they have not arrived. */
  readonly written: readonly LogEvent[];
  /** Writes an event directly, for example one from another account or an earlier day. */
  write(event: LogWrite): void;
  /** Creates a log group without events. Other groups exist once their first event has arrived. */
  createGroup(logGroup: string): void;
  /** Sets how later events are delivered. Default: immediately. */
  setDelivery(chooser: DeliveryChooser | undefined): void;
  setPaging(paging: Paging | undefined): void;
  /** Default: no limits. On AWS, 5 to 25 per second for FilterLogEvents and 10 to 30 for GetLogEvents, by region. */
  setRates(rates: LogsRates | undefined): void;
}>;

export type LocalLambdaOptions = ServiceOptions &
  Readonly<{
    /** Default: any free port. */
    port?: number;
  }>;

/** A running local Lambda. */
export type LocalLambda = Readonly<{
  url: string;
  region: string;
  accountId: string;
  readonly requests: readonly LambdaRequest[];
  /** One entry for each start of a handler, as reported by its process, in order. */
  executions(functionName?: string): readonly Execution[];
  /** The durable executions in the order of their start. Each can start its handler several times. */
  durableExecutions(functionName?: string): readonly StartedDurableExecution[];
  setFault(chooser: FaultChooser | undefined): void;
  /** Default: every ID from a caller is honored. */
  setRequestIds(chooser: RequestIdChooser | undefined): void;
  readonly logs: LocalLogs;
  /** Deploys a function. Environments of the earlier definition are not reused. */
  setFunction(name: string, definition: FunctionDefinition): void;
  /** Updates a function as AWS does: the old code runs until the update is done, and stays if it fails. */
  updateFunction(name: string, definition: FunctionDefinition, course: UpdateCourse): void;
  /** Clears requests, executions, logs and faults. Environments stay warm. Durable executions do not continue. */
  reset(): void;
  /** Resolves when no handler runs, including events, except for retries that are over a second away. */
  idle(): Promise<void>;
  /** Ends all processes and connections. */
  close(): Promise<void>;
}>;

async function readRequest(message: IncomingMessage): Promise<RecordedRequest> {
  const receivedAt = Date.now();
  const body = await buffer(message);
  const [path = '/', ...query] = (message.url ?? '/').split('?');
  return {
    method: message.method ?? 'GET',
    path,
    query: Object.fromEntries(new URLSearchParams(query.join('?'))),
    headers: headersOf(message),
    body,
    receivedAt,
  };
}

/** The state of one server. */
class Endpoint {
  readonly service: Service;
  requests: LambdaRequest[] = [];
  #faultChooser: FaultChooser | undefined;
  #requestCount = 0;
  #requestIdChooser: RequestIdChooser | undefined;

  constructor(service: Service) {
    this.service = service;
  }

  setFault(chooser: FaultChooser | undefined): void {
    this.#faultChooser = chooser;
    this.#requestCount = 0;
  }

  setRequestIds(chooser: RequestIdChooser | undefined): void {
    this.#requestIdChooser = chooser;
  }

  reset(): void {
    this.requests = [];
    this.setFault(undefined);
    this.setRequestIds(undefined);
    this.service.forget();
  }

  async serve(message: IncomingMessage, response: ServerResponse): Promise<void> {
    const request = describeRequest(await readRequest(message));
    this.requests.push(request);
    const fault = this.#faultChooser?.(request, this.#requestCount);
    this.#requestCount += 1;
    const rule = this.#requestIdChooser?.(request) ?? 'honor';
    const ids = requestIdsOf(request, { rule, fresh: randomUUID() });
    if (fault?.kind === 'delay' && fault.when === 'before') await sleep(fault.ms, undefined, { ref: false });
    const reply: ServiceResponse = replacesHandler(fault)
      ? { status: 200, headers: {}, body: Buffer.alloc(0) }
      : await this.#respond(request, ids);
    await deliver({
      response,
      reply: { ...reply, headers: { [REQUEST_ID_HEADER]: ids.shown, ...reply.headers } },
      fault,
      requestIdHeader: REQUEST_ID_HEADER,
      service: logsTarget(request) === undefined ? 'lambda' : 'logs',
    });
  }

  async #respond(request: LambdaRequest, ids: RequestIds): Promise<ServiceResponse> {
    try {
      return await this.service.respond(request, ids);
    } catch (error) {
      // Only a bug in this server gets here. It must not look like a dropped connection.
      const Message = `The local Lambda failed: ${error instanceof Error ? error.stack : String(error)}`;
      const body = { Type: 'Service', Message };
      return new ServiceError({ status: 500, type: 'ServiceException', body }).toResponse();
    }
  }
}

const logsOf = ({ logStore, cloudWatchLogs }: Service): LocalLogs => ({
  get written() {
    return logStore.written;
  },
  write: (event) => logStore.write(event),
  createGroup: (logGroup) => logStore.createGroup(logGroup),
  setDelivery: (chooser) => logStore.setDelivery(chooser),
  setPaging: (paging) => cloudWatchLogs.setPaging(paging),
  setRates: (rates) => cloudWatchLogs.setRates(rates),
});

/** Starts a local Lambda on a loopback port. Throws if the port is in use. */
export async function startLocalLambda(options: LocalLambdaOptions): Promise<LocalLambda> {
  const service = new Service(options);
  const endpoint = new Endpoint(service);
  const server = createServer((message, response) => {
    // Only the connection can fail here: the client has disconnected, so no response can be sent.
    endpoint.serve(message, response).catch(() => response.destroy());
  });
  // A client can keep its connection for any time, and an invocation can take 15 minutes.
  server.requestTimeout = 0;
  server.keepAliveTimeout = 0;
  let listening: Listening;
  try {
    listening = await listen(server, { port: options.port });
  } catch (error) {
    await service.close();
    throw error;
  }
  const url = `http://127.0.0.1:${listening.port}`;
  service.url = url;
  return {
    url,
    region: service.region,
    accountId: service.accountId,
    get requests() {
      return endpoint.requests;
    },
    executions: (functionName) =>
      service.executions.filter(
        (execution) => functionName === undefined || execution.functionName === functionName,
      ),
    durableExecutions: (functionName) => service.durableExecutions(functionName),
    setFault: (chooser) => endpoint.setFault(chooser),
    setRequestIds: (chooser) => endpoint.setRequestIds(chooser),
    logs: logsOf(service),
    setFunction: (name, definition) => service.setFunction(name, definition),
    updateFunction: (name, definition, course) => service.updateFunction({ name, definition, course }),
    reset: () => endpoint.reset(),
    idle: () => service.idle(),
    close: async () => {
      await Promise.all([listening.close(), service.close()]);
    },
  };
}
