import type { Outcome } from '../outcome/outcome.ts';
import { mendOf, type Permission, readPermission } from '../outcome/permission.ts';
import { composeComment } from './comment-text.ts';
import { hideAccountIds, renderMend, renderPermissions } from './permission-table.ts';
import { renderSummary } from './summary.ts';

/** Whether a step asks about permissions and nothing else. */
const isPermissionCheck = (outcomes: readonly Outcome[]): boolean =>
  outcomes.length > 0 && outcomes.every(({ invocation_type: type }) => type === 'DryRun');

// A statement is whole or none, and a summary of over 1 MiB is dropped with everything in it.
const LONGEST_MEND = 200_000;

const refused = (permissions: readonly Permission[]): number => permissions.filter(({ may }) => !may).length;

/** The job summary: of dry runs who may invoke what and how to mend the rest, of all others what they came to. */
export function renderJobSummary(outcomes: readonly Outcome[]): string {
  if (!isPermissionCheck(outcomes)) return renderSummary(outcomes);
  const permissions = outcomes.map(readPermission);
  const table =
    outcomes.length === 1
      ? renderSummary(outcomes)
      : `### Invoke AWS Lambda\n\n${renderPermissions(permissions)}\n`;
  const mend = refused(permissions) === 0 ? '' : renderMend(mendOf(permissions), { accountIds: 'shown' });
  if (mend === '') return table;
  const shown = mend.length > LONGEST_MEND ? 'What would mend this is too long to show.' : mend.trimEnd();
  return `${table.trimEnd()}\n\n${shown}\n`;
}

/** The comment on a pull request: the same in public, so without account ids, responses and logs. */
export function renderComment(
  outcomes: readonly Outcome[],
  belongs: { key: string; commit: string; runUrl: string },
): string {
  const permissions = isPermissionCheck(outcomes) ? outcomes.map(readPermission) : [];
  const failed = outcomes.filter(({ outcome }) => outcome !== 'succeeded').length;
  const mend = refused(permissions) === 0 ? '' : renderMend(mendOf(permissions), { accountIds: 'hidden' });
  const [, ...withoutHeading] = renderSummary(outcomes).split('\n');
  const table = permissions.length > 0 ? renderPermissions(permissions) : withoutHeading.join('\n');
  return composeComment({
    ...belongs,
    title: `${failed === 0 ? '✅' : '❌'} ${permissions.length > 0 ? 'Permission to invoke' : 'Invoke AWS Lambda'}`,
    table: hideAccountIds(table),
    details: mend === '' ? [] : [{ title: 'How to mend it', body: mend }],
  });
}
