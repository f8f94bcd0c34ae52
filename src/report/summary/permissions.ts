import type { Outcome } from '../../outcome/outcome.ts';
import { fixOf } from '../../outcome/permission/fix.ts';
import { type Permission, readPermission } from '../../outcome/permission/reading.ts';
import type { ReportedOutcome } from '../../outcome/step-results.ts';
import { grouped } from '../../shared/figures.ts';
import { composeComment } from '../comment/comment-text.ts';
import type { Fold } from '../markdown.ts';
import { functionCell } from './cells.ts';
import { hideAccountIds, renderFix, renderPermissions } from './permission-table.ts';
import { joinMarkdown, renderSummary, summarize } from './summary.ts';

/** Whether a step only checks permissions. */
const isPermissionCheck = (outcomes: readonly Outcome[]): boolean =>
  outcomes.length > 0 && outcomes.every(({ invocation_type: type }) => type === 'DryRun');

// GitHub drops a summary of over 1 MiB, and part of a statement is of no use.
const LONGEST_FIX = 200_000;

/** How to fix the refusals; empty where there are none. */
function fixFor(permissions: readonly Permission[], accountIds: 'shown' | 'hidden'): string {
  return permissions.every(({ isAllowed }) => isAllowed) ? '' : renderFix(fixOf(permissions), { accountIds });
}

/** What dry runs are headed: whether all are allowed, and the function where there is one. */
function permissionHeading(outcomes: readonly Outcome[], permissions: readonly Permission[]): string {
  const [single] = outcomes;
  const mark = permissions.every(({ isAllowed }) => isAllowed) ? '✅' : '❌';
  const subject =
    single !== undefined && outcomes.length === 1
      ? functionCell(single)
      : `${grouped(outcomes.length)} functions`;
  return `${mark} Permission to invoke ${subject}`;
}

/** The job summary: for dry runs the permissions and how to fix the missing ones, for all others the outcomes. */
export function renderJobSummary(outcomes: readonly ReportedOutcome[]): string {
  if (!isPermissionCheck(outcomes)) return renderSummary(outcomes);
  const permissions = outcomes.map(readPermission);
  const fix = fixFor(permissions, 'shown');
  const shown = fix.length > LONGEST_FIX ? 'The fix is too long to show.' : fix.trimEnd();
  const heading = `### ${permissionHeading(outcomes, permissions)}`;
  return `${joinMarkdown([heading, renderPermissions(permissions).trimEnd(), shown])}\n`;
}

type CommentContents = Readonly<{ title: string; table: string; details: readonly Fold[] }>;

function permissionComment(outcomes: readonly ReportedOutcome[]): CommentContents {
  const permissions = outcomes.map(readPermission);
  const fix = fixFor(permissions, 'hidden');
  return {
    title: permissionHeading(outcomes, permissions),
    table: renderPermissions(permissions),
    details: fix === '' ? [] : [{ title: 'How to fix this', body: fix }],
  };
}

function outcomesComment(outcomes: readonly ReportedOutcome[]): CommentContents {
  const { heading, blocks, folds } = summarize(outcomes);
  return { title: heading, table: joinMarkdown(blocks), details: folds };
}

/** The comment on a pull request: the summary without timeline and without account ids, since it can be public. */
export function renderComment(
  outcomes: readonly ReportedOutcome[],
  source: { key: string; commit: string; runUrl: string },
): string {
  const contents = isPermissionCheck(outcomes) ? permissionComment(outcomes) : outcomesComment(outcomes);
  return composeComment({
    ...source,
    title: hideAccountIds(contents.title),
    table: hideAccountIds(contents.table),
    details: contents.details.map(({ title, body }) => ({ title, body: hideAccountIds(body) })),
  });
}
