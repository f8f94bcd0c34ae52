import { Buffer } from 'node:buffer';
import type { InvokeResponse } from '../lambda/invocation.ts';
import { isUuid } from '../shared/text.ts';
import { fieldsOf } from '../shared/values.ts';
import { decodeLogTail, type ReportStatus, readReport } from './log-tail.ts';

// The Node.js runtime logs what a handler throws as one line: time, request ID, level, title, the error as JSON.
const TITLES = 'Invoke Error|Uncaught Exception|Unhandled Promise Rejection';

function errorInLog(log: string, requestId: string): string | undefined {
  const line = new RegExp(`\\t${requestId}\\tERROR\\t(?:${TITLES}) *\\t(?<json>\\{.*)$`, 'm');
  const json = line.exec(log)?.groups?.['json'];
  if (json === undefined) return undefined;
  try {
    const { errorType } = fieldsOf(JSON.parse(json));
    return typeof errorType === 'string' ? json : undefined;
  } catch {
    return undefined;
  }
}

const STATUSES: Readonly<Record<ReportStatus, string | undefined>> = {
  success: undefined,
  error: 'Runtime.Unknown',
  failure: 'Runtime.Unknown',
  timeout: 'Sandbox.Timedout',
};

// Source: Lambda quotas, streamed response. Lambda cuts a longer response one byte after this.
const LONGEST_STREAM = 209_715_200;

const failed = (
  response: InvokeResponse,
  error: Readonly<{ errorType: string; errorMessage: string }>,
): InvokeResponse => ({
  ...response,
  functionError: 'Unhandled',
  payload: Buffer.from(JSON.stringify(error)),
});

/**
 * A streamed response with the error that only the log shows: Lambda does not report every error in the stream.
 * The error then replaces the payload, as in every response of a function that failed.
 */
export function withErrorOfLog(response: InvokeResponse): InvokeResponse {
  const { streamedBytes, functionError, logTail, requestId } = response;
  if (streamedBytes === undefined || functionError !== undefined) return response;
  if (streamedBytes > LONGEST_STREAM) {
    const errorMessage = `The response is longer than ${LONGEST_STREAM} bytes and was cut.`;
    return failed(response, { errorType: 'Function.ResponseSizeTooLarge', errorMessage });
  }
  if (logTail === undefined || requestId === undefined || !isUuid(requestId)) return response;
  const log = decodeLogTail(logTail);
  const thrown = errorInLog(log, requestId);
  if (thrown !== undefined) return { ...response, functionError: 'Unhandled', payload: Buffer.from(thrown) };
  const report = readReport(log, requestId);
  const errorType = report?.status && (report.errorType ?? STATUSES[report.status]);
  if (report?.status === undefined || report.status === 'success' || errorType === undefined) return response;
  return failed(response, { errorType, errorMessage: `The log reports status ${report.status}.` });
}
