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

/** What would mend the refusals; empty where there are none. */
function mendFor(permissions: readonly Permission[], accountIds: 'shown' | 'hidden'): string {
  return permissions.every(({ may }) => may) ? '' : renderMend(mendOf(permissions), { accountIds });
}

/** The job summary: of dry runs who may invoke what and how to mend the rest, of all others what they came to. */
export function renderJobSummary(outcomes: readonly Outcome[]): string {
  if (!isPermissionCheck(outcomes)) return renderSummary(outcomes);
  const permissions = outcomes.map(readPermission);
  const table =
    outcomes.length === 1
      ? renderSummary(outcomes)
      : `### Invoke AWS Lambda\n\n${renderPermissions(permissions)}\n`;
  const mend = mendFor(permissions, 'shown');
  if (mend === '') return table;
  const shown = mend.length > LONGEST_MEND ? 'What would mend this is too long to show.' : mend.trimEnd();
  return `${table.trimEnd()}\n\n${shown}\n`;
}

const withoutHeading = (markdown: string): string => markdown.slice(markdown.indexOf('\n') + 1);

/** The comment on a pull request: the same in public, so without account ids, responses and logs. */
export function renderComment(
  outcomes: readonly Outcome[],
  belongs: { key: string; commit: string; runUrl: string },
): string {
  const isCheck = isPermissionCheck(outcomes);
  const permissions = isCheck ? outcomes.map(readPermission) : [];
  const isGreen = outcomes.every(({ outcome }) => outcome === 'succeeded');
  const mend = mendFor(permissions, 'hidden');
  return composeComment({
    ...belongs,
    title: `${isGreen ? '✅' : '❌'} ${isCheck ? 'Permission to invoke' : 'Invoke AWS Lambda'}`,
    table: hideAccountIds(isCheck ? renderPermissions(permissions) : withoutHeading(renderSummary(outcomes))),
    details: mend === '' ? [] : [{ title: 'How to mend it', body: mend }],
  });
}
