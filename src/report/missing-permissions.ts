import { info, warning } from '@actions/core';
import { executionCommand } from '../outcome/failure-advice.ts';
import { statementOn } from '../outcome/permission/fix.ts';
import { isExecutionArn } from '../shared/arn.ts';

/** Writes a change of an alias. */
export const writeAliasChange = (line: string): void => info(line);

/** A function whose alias can't be read, the missing permissions, and the error. */
type UnreadAlias = Readonly<{ label: string; actions: readonly string[]; name: string; message: string }>;

/** Warns that the step does not wait for an alias. If a permission is missing, with the statement to add. */
export function warnOfHiddenAlias({ label, actions, name, message }: UnreadAlias): void {
  const what = `The alias ${label} can't be read (${name}), so the step does not wait for its weights or its provisioned concurrency.`;
  const allowed = `To wait for them, allow ${actions.join(' and ')}.`;
  const statement = name === 'AccessDeniedException' ? statementOn(message, actions) : undefined;
  warning(
    statement === undefined
      ? `${what} ${allowed}`
      : `${what} ${allowed} Add this statement to the caller's policy:\n${statement}`,
  );
}

/** An execution that could not be stopped. */
type UnstoppedExecution = Readonly<{ label: string; arn: string; action: string; error: string }>;

/**
 * Warns that an execution could not be stopped, with the statement if a permission is missing, and the command to stop
 * it.
 */
export function warnOfUnstopped({ label, arn, action, error }: UnstoppedExecution): void {
  // The part before the first slash is the ARN of the version that runs the execution.
  const [version = ''] = arn.split('/', 1);
  const statement = error === 'AccessDeniedException' ? statementOn(version, [action]) : undefined;
  warning(
    [
      `on_cancel could not stop the durable execution of ${label} (${error}).`,
      ...(statement === undefined ? [] : [`Add this statement to the caller's policy:`, statement]),
      ...(isExecutionArn(arn) ? [`To stop it: ${executionCommand('stop', arn)}`] : []),
    ].join('\n'),
  );
}
