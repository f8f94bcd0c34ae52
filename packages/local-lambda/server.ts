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
import { type Answer, ServiceError } from './service-errors.ts';

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

/** Says what goes wrong with a request, if anything; n counts requests from 0, anew from each setFault. */
export type FaultChooser = (request: LambdaRequest, n: number) => Fault | undefined;

/** Says what becomes of the request id that a caller sends. */
export type RequestIdChooser = (request: LambdaRequest) => RequestIdRule;

/** The logs in CloudWatch. */
export type LocalLogs = Readonly<{
  /** Everything that functions and write() have written, arrived or not, in the order of the writes. */
  readonly written: readonly LogEvent[];
  /** Writes an event, as a function of another account or an earlier day would. */
  write(event: LogWrite): void;
  /** Creates a log group without events; any other exists from its first event on. */
  createGroup(logGroup: string): void;
  /** How events that are written from now on are delivered; default at once. */
  setDelivery(chooser: DeliveryChooser | undefined): void;
  setPaging(paging: Paging | undefined): void;
  /** Default: no limits. On AWS 5 to 25 a second for FilterLogEvents and 10 to 30 for GetLogEvents, by the region. */
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
  /** One for each start of a handler, as its own process reported it, in order. */
  executions(functionName?: string): readonly Execution[];
  /** Durable executions that were started, in order; each of them starts its handler as often as it has to. */
  durableExecutions(functionName?: string): readonly StartedDurableExecution[];
  setFault(chooser: FaultChooser | undefined): void;
  /** Default: every id that a caller sends is honored. */
  setRequestIds(chooser: RequestIdChooser | undefined): void;
  readonly logs: LocalLogs;
  /** Deploys: environments of the earlier definition are not used again. */
  setFunction(name: string, definition: FunctionDefinition): void;
  /** Deploys as AWS does: the old code goes on for as long as the update lasts, and for good where it fails. */
  updateFunction(name: string, definition: FunctionDefinition, course: UpdateCourse): void;
  /** Forgets requests, executions, logs and faults; environments stay warm, durable executions do not go on. */
  reset(): void;
  /** Resolves when no handler runs, events included, but for retries that are over a second away. */
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

/** One server's state between requests. */
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
    const answer: Answer = replacesHandler(fault)
      ? { status: 200, headers: {}, body: Buffer.alloc(0) }
      : await this.#answer(request, ids);
    await deliver({
      response,
      answer: { ...answer, headers: { [REQUEST_ID_HEADER]: ids.shown, ...answer.headers } },
      fault,
      requestIdHeader: REQUEST_ID_HEADER,
      service: logsTarget(request) === undefined ? 'lambda' : 'logs',
    });
  }

  async #answer(request: LambdaRequest, ids: RequestIds): Promise<Answer> {
    try {
      return await this.service.answer(request, ids);
    } catch (error) {
      // Nothing of the service ends here: a defect of this server must not look like a dropped connection.
      const Message = `The local Lambda failed: ${error instanceof Error ? error.stack : String(error)}`;
      const body = { Type: 'Service', Message };
      return new ServiceError({ status: 500, type: 'ServiceException', body }).toAnswer();
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

/** Starts a local Lambda on a loopback port; throws where the port is taken. */
export async function startLocalLambda(options: LocalLambdaOptions): Promise<LocalLambda> {
  const service = new Service(options);
  const endpoint = new Endpoint(service);
  const server = createServer((message, response) => {
    // What fails here is the connection: the client has gone, and there is nobody to answer.
    endpoint.serve(message, response).catch(() => response.destroy());
  });
  // A client may keep its connection for as long as it likes; an invocation may take 15 minutes.
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
