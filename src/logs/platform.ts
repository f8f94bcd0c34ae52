import { fieldsOf } from '../shared/values.ts';

/** How a request ended, from Lambda's own line. In text format, there is a status only if Lambda ended the request. */
export type LoggedReport = Readonly<{ durationMs?: number; status?: string; errorType?: string }>;

/** A line that Lambda itself wrote about a request. */
export type LoggedLine = Readonly<
  { requestId: string } & ({ kind: 'start' } | { kind: 'report'; report: LoggedReport })
>;

const TEXT_LINE = /^(?<kind>START|REPORT) RequestId: (?<requestId>[0-9a-f-]{36})(?=\s)/;
const JSON_LINE = /^\{"time":"[^"]{1,40}","type":"platform\.(?:start|report)"/;
// Lambda's own lines are short, so a longer line is not searched.
const LONGEST_LINE = 8_192;

// In text format, Lambda writes no status for a success. A line with status success is from the function.
function textReport(message: string): LoggedReport {
  const durationMs = /\tDuration: (\d{1,12}(?:\.\d{1,6})?) ms/.exec(message)?.[1];
  const status = /\tStatus: (?!success\b)(\w{1,40})/.exec(message)?.[1];
  const errorType = /\tError Type: ([\w.]{1,200})/.exec(message)?.[1];
  return {
    ...(durationMs !== undefined && { durationMs: Number(durationMs) }),
    ...(status !== undefined && { status }),
    ...(errorType !== undefined && { errorType }),
  };
}

function jsonLineOf(message: string): LoggedLine | undefined {
  let record: ReturnType<typeof fieldsOf>;
  try {
    record = fieldsOf(fieldsOf(JSON.parse(message))['record']);
  } catch {
    return undefined;
  }
  const { requestId, status, errorType, metrics } = record;
  if (typeof requestId !== 'string') return undefined;
  if (message.includes('"type":"platform.start"')) return { requestId, kind: 'start' };
  const { durationMs } = fieldsOf(metrics);
  const report = {
    ...(typeof durationMs === 'number' && { durationMs }),
    ...(typeof status === 'string' && { status }),
    ...(typeof errorType === 'string' && { errorType }),
  };
  return { requestId, kind: 'report', report };
}

/** Reads a log event that Lambda wrote, in either format; undefined if the function wrote it. */
export function loggedLineOf(message: string): LoggedLine | undefined {
  if (message.length > LONGEST_LINE) return undefined;
  if (JSON_LINE.test(message)) return jsonLineOf(message);
  const { kind, requestId } = TEXT_LINE.exec(message)?.groups ?? {};
  if (requestId === undefined) return undefined;
  return kind === 'START'
    ? { requestId, kind: 'start' }
    : { requestId, kind: 'report', report: textReport(message) };
}
