// Puts together what waits: for functions to be ready, and for durable executions to end. It is loaded on demand.
import type { Environment } from '../inputs/environment.ts';
import type { Plan } from '../inputs/plan.ts';
import type { AliasChange, HiddenAlias } from '../lambda/alias.ts';
import type { ExecutionEvent } from '../lambda/durable.ts';
import type { Invocation, InvokeFailure } from '../lambda/invocation.ts';
import type { InvokeContext } from '../lambda/invoker.ts';
import type { FailedQuestion } from '../lambda/polling.ts';
import type { StateChange } from '../lambda/readiness.ts';
import type { Stopping } from '../lambda/stop-execution.ts';
import type { Expressions } from '../outcome/expectations.ts';
import type { Labels } from '../outcome/labels.ts';
import { warnOfHiddenAlias, warnOfUnstopped, writeAliasChange } from '../report/missing-permissions.ts';
import {
  type LogThrottle,
  type Question,
  questionLine,
  type RepeatedLines,
  warnOfHiddenHistory,
  warnOfNoExecution,
  writeDurableEvent,
  writeState,
} from '../report/progress.ts';
import { readsField } from '../shared/expression-tree.ts';

/** What writes progress into the log. */
export type Progress = Readonly<{ throttle: LogThrottle; lines: RepeatedLines; labels: Labels }>;

const onFailedQuestion =
  (about: Question['about'], { lines, labels }: Progress) =>
  ({ invocation, failure, waitMs }: FailedQuestion): void =>
    lines.add(questionLine({ label: labels.functionOf(invocation), about, error: failure.name, waitMs }));

/** Whether an invocation is expected to be run by a version, so that an alias has to point to one alone. */
function expectsVersion({ expect, parseTree }: Expressions): (invocation: Invocation) => boolean {
  const mentions = (expression: string): boolean =>
    parseTree !== undefined && readsField(parseTree(expression), 'executed_version');
  const ofStep = expect.some(mentions);
  return ({ expect: own = [] }) => ofStep || own.some(mentions);
}

/** What waits until functions and their aliases are ready. */
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
      onFailedQuestion: onFailedQuestion('configuration', progress),
    },
  };
}

/** The address of the workflow run; what it is where nothing says where. */
const runUrl = ({ github: { serverUrl, repository, runId } }: Environment): string =>
  repository === '' || runId === ''
    ? 'a GitHub Actions workflow'
    : `${serverUrl}/${repository}/actions/runs/${runId}`;

/** What follows durable executions to their end. */
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
      onFailedQuestion: onFailedQuestion('durable execution', progress),
      onNotDurable: (invocation: Invocation) =>
        throttle.write('without a durable execution', () =>
          warnOfNoExecution({ label: labels.functionOf(invocation) }),
        ),
      ...(plan.onCancel === 'stop' && { stopping: { run: runUrl(environment), onNotStopped } }),
    },
  };
}
