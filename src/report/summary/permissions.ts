import type { MaskedOutcome } from '../../outcome/masks.ts';
import type { Outcome } from '../../outcome/outcome.ts';
import { fixOf } from '../../outcome/permission/fix.ts';
import { type Permission, readPermission } from '../../outcome/permission/reading.ts';
import { composeComment } from '../comment/comment-text.ts';
import { hideAccountIds, renderFix, renderPermissions } from './permission-table.ts';
import { renderSummary } from './summary.ts';

/** Whether a step only checks permissions. */
const isPermissionCheck = (outcomes: readonly Outcome[]): boolean =>
  outcomes.length > 0 && outcomes.every(({ invocation_type: type }) => type === 'DryRun');

// GitHub drops a summary of over 1 MiB, and part of a statement is of no use.
const LONGEST_FIX = 200_000;

/** How to fix the refusals; empty where there are none. */
function fixFor(permissions: readonly Permission[], accountIds: 'shown' | 'hidden'): string {
  return permissions.every(({ isAllowed }) => isAllowed) ? '' : renderFix(fixOf(permissions), { accountIds });
}

/** The job summary: for dry runs the permissions and how to fix the missing ones, for all others the outcomes. */
export function renderJobSummary(outcomes: readonly MaskedOutcome[]): string {
  if (!isPermissionCheck(outcomes)) return renderSummary(outcomes);
  const permissions = outcomes.map(readPermission);
  const table =
    outcomes.length === 1
      ? renderSummary(outcomes)
      : `### Invoke AWS Lambda\n\n${renderPermissions(permissions)}\n`;
  const fix = fixFor(permissions, 'shown');
  if (fix === '') return table;
  const shown = fix.length > LONGEST_FIX ? 'The fix is too long to show.' : fix.trimEnd();
  return `${table.trimEnd()}\n\n${shown}\n`;
}

const withoutHeading = (markdown: string): string => markdown.slice(markdown.indexOf('\n') + 1);

/** The comment on a pull request: the same as the summary, but without account ids, since it can be public. */
export function renderComment(
  outcomes: readonly MaskedOutcome[],
  source: { key: string; commit: string; runUrl: string },
): string {
  const isCheck = isPermissionCheck(outcomes);
  const permissions = isCheck ? outcomes.map(readPermission) : [];
  const isGreen = outcomes.every(({ outcome }) => outcome === 'succeeded');
  const fix = fixFor(permissions, 'hidden');
  return composeComment({
    ...source,
    title: `${isGreen ? '✅' : '❌'} ${isCheck ? 'Permission to invoke' : 'Invoke AWS Lambda'}`,
    table: hideAccountIds(isCheck ? renderPermissions(permissions) : withoutHeading(renderSummary(outcomes))),
    details: fix === '' ? [] : [{ title: 'How to fix this', body: fix }],
  });
}
