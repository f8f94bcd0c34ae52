import { isRegion } from '../shared/arn.ts';
import { isLogGroup } from './links.ts';
import { adviseOnBlockedAction } from './permission/wording.ts';

/** A log that AWS did not allow the action to read. */
export type UnreadableLog = Readonly<{
  functionName: string;
  region: string;
  logGroup: string;
  /** The error's name, and AWS's message. */
  name: string;
  message: string;
  /** Actions on the function itself that were denied too, such as lambda:GetFunctionConfiguration. */
  deniedOnFunction: readonly string[];
}>;

const LOG_ACTIONS = ['logs:FilterLogEvents', 'logs:GetLogEvents'];
const LOG_GROUP_OWNER =
  /\barn:(?<partition>aws(?:-[a-z]{1,12}){0,3}):[a-z0-9]{1,20}:[a-z0-9-]{0,30}:(?<account>\d{12}):/g;
const LONGEST_MESSAGE = 4_096;

/** The partition and the account of the log group in AWS's message, or else those of the caller. */
function ownerIn(message: string): Readonly<{ partition: string; account: string }> {
  const { partition = 'aws', account = '*' } =
    [...message.slice(0, LONGEST_MESSAGE).matchAll(LOG_GROUP_OWNER)].at(-1)?.groups ?? {};
  return { partition, account };
}

const statement = (actions: readonly string[], resource: string): string =>
  JSON.stringify({ Effect: 'Allow', Action: actions, Resource: [resource, `${resource}:*`] });

/** The IAM statements that allow reading a function's log, one per line. */
export function logStatements(log: UnreadableLog): string[] {
  const { partition, account } = ownerIn(log.message);
  const region = isRegion(log.region) ? log.region : '*';
  const group = isLogGroup(log.logGroup) ? log.logGroup : '*';
  const at = (service: string, resource: string): string =>
    `arn:${partition}:${service}:${region}:${account}:${resource}`;
  return [
    statement(LOG_ACTIONS, at('logs', `log-group:${group}`)),
    ...(log.deniedOnFunction.length === 0
      ? []
      : [statement(log.deniedOnFunction, at('lambda', `function:${log.functionName}`))]),
  ];
}

const isDenial = (name: string): boolean => name === 'AccessDeniedException';
const DENIED_ACTION = /not authorized to perform:? (logs:[A-Za-z]{1,40})/;

/** Advice on a log that can't be read: one or more sentences, and the statements if a permission is missing. */
export function adviseOnUnreadableLog(log: UnreadableLog): string {
  const what = `The log of ${log.functionName} cannot be read (${log.name})`;
  if (!isDenial(log.name)) return `${what}: ${log.message}`;
  const action = DENIED_ACTION.exec(log.message)?.[1] ?? 'logs:FilterLogEvents';
  const blocked = adviseOnBlockedAction(log.message, action);
  if (blocked !== undefined) return `${what}. ${blocked}`;
  const statements = logStatements(log);
  const add = statements.length === 1 ? 'this statement' : 'these statements';
  return [`${what}. Add ${add} to the caller's policy:`, ...statements].join('\n');
}
