import type { MaskedOutcome } from '../../outcome/masks.ts';
import type { Outcome } from '../../outcome/outcome.ts';
import { fixOf, type Permission, readPermission } from '../../outcome/permission.ts';
import { composeComment } from '../comment/comment-text.ts';
import { hideAccountIds, renderFix, renderPermissions } from './permission-table.ts';
import { renderSummary } from './summary.ts';

/** Whether a step asks about permissions and nothing else. */
const isPermissionCheck = (outcomes: readonly Outcome[]): boolean =>
  outcomes.length > 0 && outcomes.every(({ invocation_type: type }) => type === 'DryRun');

// A statement is whole or none, and a summary of over 1 MiB is dropped with everything in it.
const LONGEST_FIX = 200_000;

/** How to fix the refusals; empty where there are none. */
function fixFor(permissions: readonly Permission[], accountIds: 'shown' | 'hidden'): string {
  return permissions.every(({ may }) => may) ? '' : renderFix(fixOf(permissions), { accountIds });
}

/** The job summary: of dry runs what can be invoked and how to fix the rest, of all others their outcomes. */
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

/** The comment on a pull request: the same in public, so without account ids, responses and logs. */
export function renderComment(
  outcomes: readonly MaskedOutcome[],
  belongs: { key: string; commit: string; runUrl: string },
): string {
  const isCheck = isPermissionCheck(outcomes);
  const permissions = isCheck ? outcomes.map(readPermission) : [];
  const isGreen = outcomes.every(({ outcome }) => outcome === 'succeeded');
  const fix = fixFor(permissions, 'hidden');
  return composeComment({
    ...belongs,
    title: `${isGreen ? '✅' : '❌'} ${isCheck ? 'Permission to invoke' : 'Invoke AWS Lambda'}`,
    table: hideAccountIds(isCheck ? renderPermissions(permissions) : withoutHeading(renderSummary(outcomes))),
    details: fix === '' ? [] : [{ title: 'How to fix this', body: fix }],
  });
}
