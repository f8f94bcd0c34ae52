import type { GetDurableExecutionResponse } from '@aws-sdk/client-lambda';
import { durableConfig, type FunctionVersion } from '../function-definition.ts';
import { fieldOf, textOf } from '../json-fields.ts';
import { SYNC_DURABLE_SECONDS } from '../limits.ts';
import { pageOf, readPageRequest } from '../paging.ts';
import type { InvocationRequest, LambdaRequest } from '../request.ts';
import {
  invalidParameterValue,
  jsonResponse,
  type ServiceResponse,
  serialization,
  validationFailed,
} from '../service-errors.ts';
import { readUpdates } from './checkpoint.ts';
import { errorPayloadOf, readError } from './error.ts';
import type { DurableExecution } from './execution.ts';
import type { DurableExecutions } from './executions.ts';
import { eventDocument } from './history.ts';
import { inSeconds } from './operation.ts';

/** A request about a durable execution. `label` is the ARN in its path. */
export type DurableCall = Readonly<{ executions: DurableExecutions; request: LambdaRequest; label: string }>;
export type DurableHandler = (call: DurableCall) => ServiceResponse;

const ARN_PATTERN =
  'arn:([a-zA-Z0-9-]+):lambda:([a-zA-Z0-9-]+):(\\d{12}):function:([a-zA-Z0-9_-]+):(\\$LATEST(?:\\.PUBLISHED)?|[0-9]+)/durable-execution/([a-zA-Z0-9_-]+)/([a-zA-Z0-9_-]+)';

/** Throws the service's error if the ARN is not that of a durable execution. */
export function checkDurableExecutionArn(arn: string): void {
  if (new RegExp(`^${ARN_PATTERN}$`).test(arn)) return;
  throw validationFailed([
    `Value '${arn}' at 'durableExecutionArn' failed to satisfy constraint: Member must satisfy regular expression pattern: ${ARN_PATTERN}`,
  ]);
}

/** Throws the service's error if a durable function can't be invoked in this way. */
export function checkDurableInvocation(
  { invocationType }: InvocationRequest,
  { definition: { durable } }: FunctionVersion,
  qualifier: string | undefined,
): void {
  if (durable === undefined) return;
  if (qualifier === undefined) {
    throw invalidParameterValue('You cannot invoke a durable function using an unqualified ARN.');
  }
  if (invocationType === 'RequestResponse' && durable.executionTimeoutSeconds > SYNC_DURABLE_SECONDS) {
    throw invalidParameterValue(
      'You cannot synchronously invoke a durable function with an executionTimeout greater than 15 minutes.',
    );
  }
}

function bodyOf({ body }: LambdaRequest): unknown {
  if (body.length === 0) return undefined;
  try {
    return JSON.parse(body.toString('utf8'));
  } catch {
    throw serialization();
  }
}

/** The response to an Event invocation. */
export function startedResponse({ start }: DurableExecution): ServiceResponse {
  return {
    status: 202,
    headers: {
      'x-amz-durable-execution-arn': start.arn,
      'x-amzn-remapped-content-length': '0',
      'x-amzn-trace-id': start.traceId,
    },
    body: Buffer.alloc(0),
  };
}

/** The response to a synchronous invocation after its execution ended. The log is that of the handler's last run. */
export function endedResponse(execution: DurableExecution, tail: boolean): ServiceResponse {
  const { ending, log, start } = execution;
  const failed = ending?.status !== 'SUCCEEDED';
  return {
    status: 200,
    headers: {
      'content-type': 'application/json',
      'x-amz-executed-version': start.version,
      'x-amz-durable-execution-arn': start.arn,
      ...(failed ? { 'x-amz-function-error': 'Unhandled' } : {}),
      ...(tail && log !== undefined ? { 'x-amz-log-result': log.bytes().toString('base64') } : {}),
      'x-amzn-remapped-content-length': '0',
      'x-amzn-trace-id': start.traceId,
    },
    body: failed ? errorPayloadOf(ending?.error ?? {}) : Buffer.from(ending.result ?? 'null'),
  };
}

export const checkpointDurableExecution: DurableHandler = ({ executions, request, label }) => {
  const body = bodyOf(request);
  return jsonResponse(
    executions.find(label).checkpoint({
      token: textOf(body, 'CheckpointToken'),
      clientToken: textOf(body, 'ClientToken'),
      updates: readUpdates(fieldOf(body, 'Updates')),
    }),
  );
};

export const getDurableExecutionState: DurableHandler = ({ executions, request, label }) => {
  const page = readPageRequest(request.query);
  return jsonResponse(executions.find(label).state(request.query['CheckpointToken'], page));
};

export const getDurableExecution: DurableHandler = ({ executions, request, label }) => {
  const { start, startedAt, endedAt, status, ending } = executions.find(label);
  const includeData = request.query['IncludeExecutionData'] !== 'false';
  const document: Readonly<Partial<Record<keyof GetDurableExecutionResponse, unknown>>> = {
    DurableExecutionArn: start.arn,
    DurableExecutionName: start.name,
    FunctionArn: start.functionArn,
    Version: start.version,
    Status: status,
    StartTimestamp: inSeconds(startedAt),
    EndTimestamp: endedAt === undefined ? undefined : inSeconds(endedAt),
    TraceHeader: { XAmznTraceId: start.traceId },
    DurableConfig: durableConfig(start.configuration),
    ExecutionDataIncluded: includeData,
    ...(includeData ? { InputPayload: start.input, Result: ending?.result, Error: ending?.error } : {}),
  };
  return jsonResponse(document);
};

export const getDurableExecutionHistory: DurableHandler = ({ executions, request, label }) => {
  const { query } = request;
  const page = readPageRequest(query);
  const { events } = executions.find(label).history;
  const ordered = query['ReverseOrder'] === 'true' ? events.toReversed() : events;
  const { items, nextMarker } = pageOf(ordered, page, ({ id }) => String(id));
  const includeData = query['IncludeExecutionData'] === 'true';
  return jsonResponse({
    Events: items.map((event) => eventDocument(event, includeData)),
    NextMarker: nextMarker,
  });
};

export const stopDurableExecution: DurableHandler = ({ executions, request, label }) => {
  const error = readError(bodyOf(request));
  const execution = executions.find(label);
  execution.stop(error);
  return jsonResponse({ StopTimestamp: inSeconds(execution.endedAt ?? Date.now()) });
};
