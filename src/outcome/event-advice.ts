import type { UnresolvedEvent, WhyUnresolved } from '../lambda/invocation.ts';
import { adviseOnUnreadableLog } from './log-permission.ts';

const THROTTLED =
  'Lambda keeps an event that is throttled for up to 6 hours and may still run it: check the reserved concurrency of the function.';

/** What to do, by why it is not known how the event ended. */
const ADVICE: Readonly<Record<Exclude<WhyUnresolved, 'unreadable'>, string>> = {
  timeout: `Raise timeout_seconds: Lambda tries a failed event again after 1 and 2 minutes. If the log is in text format, set LogFormat to JSON: only then does it show that a try succeeded. ${THROTTLED}`,
  cancelled: 'Lambda keeps the event and may still run it.',
  'no request ID': 'Check which endpoint responded: Lambda sends a request ID with each response.',
  'no platform lines':
    "Set SystemLogLevel to INFO in the function's logging configuration, so that its log shows how each try ends.",
  'text log':
    "Set LogFormat to JSON in the function's logging configuration, so that its log shows whether the handler threw an error. If MaximumRetryAttempts is 0, the action does not wait for another try.",
  expired:
    "Lambda discards an event that reaches its maximum age. Check the function's on-failure destination or dead-letter queue, and its reserved concurrency.",
};

type EventAdviceFacts = Readonly<{ functionName: string; region: string | undefined; link: string }>;

/** What to do about an accepted event of which it is not known how it ended. `link` leads to its log. */
export function adviseOnEvent(
  event: UnresolvedEvent,
  { functionName, region = '', link }: EventAdviceFacts,
): string {
  const { why, failure, logGroup = `/aws/lambda/${functionName}` } = event;
  const look = `Check the function's log before you send the event again${link}`;
  if (why !== 'unreadable') return `${ADVICE[why]}\n${look}`;
  const { name, message } = failure ?? { name: 'Error', message: '' };
  const log = { functionName, region, logGroup, name, message, deniedOnFunction: [] };
  return `${adviseOnUnreadableLog(log)}\n${look}`;
}
