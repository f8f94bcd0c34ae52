// Connects the waits for functions to be ready and for durable executions to end. It is loaded on demand.
import type { Environment } from '../inputs/environment.ts';
import type { Plan } from '../inputs/plan.ts';
import type { AliasChange, HiddenAlias } from '../lambda/alias.ts';
import type { ExecutionEvent } from '../lambda/durable.ts';
import type { Invocation, InvokeFailure } from '../lambda/invocation.ts';
import type { InvokeContext } from '../lambda/invoker.ts';
import type { FailedPoll } from '../lambda/polling.ts';
import type { StateChange } from '../lambda/readiness.ts';
import type { Stopping } from '../lambda/stop-execution.ts';
import type { Expressions } from '../outcome/expectations.ts';
import type { Labels } from '../outcome/labels.ts';
import { warnOfHiddenAlias, warnOfUnstopped, writeAliasChange } from '../report/missing-permissions.ts';
import {
  type FailedRead,
  type LogThrottle,
  pollLine,
  type RepeatedLines,
  warnOfHiddenHistory,
  warnOfNoExecution,
  writeDurableEvent,
  writeState,
} from '../report/progress.ts';
import { readsField } from '../shared/expression-tree.ts';

/** The parts that write progress into the log. */
export type Progress = Readonly<{ throttle: LogThrottle; lines: RepeatedLines; labels: Labels }>;

const onFailedPoll =
  (about: FailedRead['about'], { lines, labels }: Progress) =>
  ({ invocation, failure, waitMs }: FailedPoll): void =>
    lines.add(pollLine({ label: labels.functionOf(invocation), about, error: failure.name, waitMs }));

/** Whether an expectation names the version that runs an invocation, so that its alias must point to only one. */
function expectsVersion({ expect, parseTree }: Expressions): (invocation: Invocation) => boolean {
  const mentions = (expression: string): boolean =>
    parseTree !== undefined && readsField(parseTree(expression), 'executed_version');
  const ofStep = expect.some(mentions);
  return ({ expect: own = [] }) => ofStep || own.some(mentions);
}

/** The wait until functions and their aliases are ready. */
export async function createReadiness(
  progress: Progress,
  { expressions }: Plan,
): Promise<Pick<InvokeContext, 'readiness'>> {
  const { Readiness } = await import('../lambda/readiness.ts');
  return {
    readiness: {
      waits: new Readiness(),
      expectsVersion: expectsVersion(expressions),
      onAliasChange: ({ line }: AliasChange) =>
        progress.throttle.write('changes of state', () => writeAliasChange(line)),
      onHiddenAlias: ({ invocation, actions, failure }: HiddenAlias) =>
        progress.throttle.write('aliases that cannot be read', () =>
          warnOfHiddenAlias({ label: progress.labels.functionOf(invocation), actions, ...failure }),
        ),
      onStateChange: ({ invocation, state }: StateChange) =>
        progress.throttle.write('changes of state', () =>
          writeState({ label: progress.labels.functionOf(invocation), state }),
        ),
      onFailedPoll: onFailedPoll('configuration', progress),
    },
  };
}

/** The URL of the workflow run, or a description of it if the URL is not known. */
const runUrl = ({ github: { serverUrl, repository, runId } }: Environment): string =>
  repository === '' || runId === ''
    ? 'a GitHub Actions workflow'
    : `${serverUrl}/${repository}/actions/runs/${runId}`;

/** The wait for durable executions to end. */
export async function createFollower(
  progress: Progress,
  { plan, environment }: Readonly<{ plan: Plan; environment: Environment }>,
): Promise<Pick<InvokeContext, 'follow'>> {
  const { throttle, labels } = progress;
  const onNotStopped: Stopping['onNotStopped'] = ({ invocation, arn, action, failure }) =>
    throttle.write('executions that cannot be stopped', () =>
      warnOfUnstopped({ label: labels.functionOf(invocation), arn, action, error: failure.name }),
    );
  return {
    follow: {
      execution: (await import('../lambda/durable.ts')).followExecution,
      onExecutionEvent: ({ invocation, ...event }: ExecutionEvent) =>
        throttle.write('events of durable executions', () =>
          writeDurableEvent({ label: labels.functionOf(invocation), ...event }),
        ),
      onHiddenHistory: (invocation: Invocation, { name }: InvokeFailure) =>
        throttle.write('histories that cannot be read', () =>
          warnOfHiddenHistory({ label: labels.functionOf(invocation), error: name }),
        ),
      onFailedPoll: onFailedPoll('durable execution', progress),
      onNotDurable: (invocation: Invocation) =>
        throttle.write('without a durable execution', () =>
          warnOfNoExecution({ label: labels.functionOf(invocation) }),
        ),
      ...(plan.onCancel === 'stop' && { stopping: { run: runUrl(environment), onNotStopped } }),
    },
  };
}
