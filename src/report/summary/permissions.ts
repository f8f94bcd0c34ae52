import type { ReportedOutcomes } from '../../outcome/kept-outcomes.ts';
import {
  type Fix,
  type FixNote,
  fixOf,
  isCrossAccount,
  type NotedFunction,
} from '../../outcome/permission/fix.ts';
import { callerOf, type Permission, type Refusal, readPermission } from '../../outcome/permission/reading.ts';
import { noteInWords, policyInWords } from '../../outcome/permission/wording.ts';
import { grouped } from '../../shared/text.ts';
import { composeComment } from '../comment/comment-text.ts';
import { codeBlock, type Fold, foreignCell, joinMarkdown, table } from '../markdown.ts';
import { functionCell } from './cells.ts';
import { renderParts, type SummaryExtras } from './single.ts';
import { renderSummary, summarize } from './summary.ts';

/** The reasons why a function can't be invoked, in words. */
const REASONS: Readonly<Record<Refusal, string | ((permission: Permission) => string)>> = {
  no_identity_policy: 'no identity-based policy allows it',
  no_resource_policy: 'no resource-based policy allows it',
  no_limiting_policy: ({ denyingPolicy }) => `${policyInWords(denyingPolicy)} does not allow it`,
  explicit_deny: ({ denyingPolicy }) => `explicit deny in ${policyInWords(denyingPolicy)}`,
  no_reason: 'not authorized, AWS gives no reason',
  function_not_found: 'function not found',
  qualifier_not_found: 'function, version or alias not found',
  wrong_region: 'the ARN is in another region',
  credentials_expired: 'credentials expired',
  credentials_missing: 'no credentials',
  credentials_unavailable: 'could not get credentials',
  credentials_invalid: 'credentials not valid',
  other: ({ errorName = '' }) =>
    ['not checked', foreignCell(errorName)].filter((part) => part !== '').join(': '),
};

type Access = 'allowed' | 'denied' | 'not_checked';

function accessOf({ isAllowed, refusal }: Permission): Access {
  if (isAllowed) return 'allowed';
  return refusal === undefined || refusal === 'other' ? 'not_checked' : 'denied';
}

const ICONS: Readonly<Record<Access, string>> = { allowed: '✅', denied: '❌', not_checked: '❓' };

function reasonCell(permission: Permission): string {
  const { isAllowed, refusal = 'other' } = permission;
  if (isAllowed) return '';
  const reason = REASONS[refusal];
  const why = typeof reason === 'string' ? reason : reason(permission);
  return isCrossAccount(permission) ? `${why} (another account)` : why;
}

type Column = Readonly<{ title: string; cell: (permission: Permission) => string; leastValues: number }>;

/** The columns. A column is left out if it has fewer different values than its minimum. */
const COLUMNS: readonly Column[] = [
  { title: 'Allowed', cell: (permission) => ICONS[accessOf(permission)], leastValues: 0 },
  { title: 'Function', cell: ({ functionName }) => foreignCell(functionName), leastValues: 0 },
  { title: 'Qualifier', cell: ({ qualifier = '' }) => foreignCell(qualifier), leastValues: 1 },
  { title: 'Region', cell: ({ region = '' }) => foreignCell(region), leastValues: 2 },
  { title: 'Reason', cell: reasonCell, leastValues: 1 },
];

function permissionsTable(permissions: readonly Permission[]): string {
  const columns = COLUMNS.filter(
    ({ cell, leastValues }) =>
      new Set(permissions.map(cell).filter((text) => text !== '')).size >= leastValues,
  );
  return table(
    columns.map(({ title }) => title),
    permissions.map((permission) => columns.map(({ cell }) => cell(permission))),
  );
}

const PREDICATES: Readonly<Record<Access, Readonly<{ is: string; isNot: string }>>> = {
  allowed: { is: 'can be invoked', isNot: "can't be invoked" },
  denied: { is: "can't be invoked", isNot: 'can be invoked' },
  not_checked: { is: 'could not be checked', isNot: 'could be checked' },
};

/** A sentence on how many functions have this access. It avoids "All can't", which could be read as "some can". */
function countSentence(access: Access, count: number, total: number): string {
  const { is, isNot } = PREDICATES[access];
  if (total === 1) return `The function ${is}.`;
  if (count < total) return `${grouped(count)} of ${grouped(total)} functions ${is}.`;
  return access === 'allowed'
    ? `All ${grouped(total)} functions ${is}.`
    : `None of the ${grouped(total)} functions ${isNot}.`;
}

function permissionsHeadline(permissions: readonly Permission[]): string {
  const total = permissions.length;
  const all = permissions.map(accessOf);
  const sentences = (['denied', 'not_checked', 'allowed'] as const).flatMap((access) => {
    const count = all.filter((each) => each === access).length;
    const isNews = count > 0 && (access !== 'allowed' || count === total);
    return isNews ? [countSentence(access, count, total)] : [];
  });
  return `**${sentences.join(' ')}**`;
}

// Nobody reads more rows, and the outcomes file has all of them.
const MOST_ROWS = 50;

/** The rows of the table. If there are too many, those that can't be invoked are first, and the rest is counted. */
function shownOf(permissions: readonly Permission[]): { shown: readonly Permission[]; rest: string } {
  if (permissions.length <= MOST_ROWS) return { shown: permissions, rest: '' };
  const refused = permissions.filter(({ isAllowed }) => !isAllowed);
  const allowed = permissions.filter(({ isAllowed }) => isAllowed);
  const more = { refused: refused.length - MOST_ROWS, allowed: allowed.length };
  const room = Math.max(0, -more.refused);
  const parts = [
    more.refused > 0 ? `${grouped(more.refused)} more that can't be invoked or could not be checked` : '',
    more.allowed > room ? `${grouped(more.allowed - room)} more that can be invoked` : '',
  ].filter((part) => part !== '');
  return { shown: [...refused, ...allowed].slice(0, MOST_ROWS), rest: `… and ${parts.join(', ')}.` };
}

// A name may contain an account ID, which is common for stacks. The last twelve digits of a request ID, also with an
// encoded quote before it, are not one: a link would not work without them.
const ACCOUNT_ID = /(?<!\d|[\da-f]{8}(?:-[\da-f]{4}){3}-)\d{12}(?!\d|(?:-[\da-f]{4}){3}-[\da-f]{12})/g;

// Digits where a text was cut, which may be most of an account ID. A request ID of which a link shows the start has none.
const CUT_NUMBER = /(?<!\[[\da-f]{0,7})\d+(?=…)/g;

/**
 * Replaces every 12-digit number with ACCOUNT_ID, or several with ACCOUNT_ID_1, ACCOUNT_ID_2, … Removes the digits at
 * the end of a text that was cut.
 */
export function hideAccountIds(text: string): string {
  const ids = new Map([...new Set(text.match(ACCOUNT_ID) ?? [])].map((id, at) => [id, at + 1]));
  return text
    .replaceAll(ACCOUNT_ID, (id) => (ids.size === 1 ? 'ACCOUNT_ID' : `ACCOUNT_ID_${ids.get(id)}`))
    .replaceAll(CUT_NUMBER, '');
}

/**
 * The outcome of the dry runs as Markdown: the most important first, then the caller, and one row per function. Of more
 * than 50 functions, the refused ones are first, and the rest is counted. No account IDs. Empty without dry runs.
 */
export function renderPermissions(permissions: readonly Permission[]): string {
  if (permissions.length === 0) return '';
  const caller = callerOf(permissions);
  const { shown, rest } = shownOf(permissions);
  const blocks = [
    permissionsHeadline(permissions),
    caller === undefined ? '' : `Checked as ${caller.kind} ${foreignCell(caller.name)}.`,
    permissionsTable(shown),
    rest,
  ];
  return hideAccountIds(`${blocks.filter((block) => block !== '').join('\n\n')}\n`);
}

const SHOWN_FUNCTIONS = 20;

/** Functions as code spans: a valid name and qualifier have no backtick. */
function namesInMarkdown(functions: readonly NotedFunction[]): string {
  const names = new Set(
    functions.map(({ name, qualifier }) => {
      if (name === undefined) return 'a function whose name is not valid';
      return qualifier === undefined ? `\`${name}\`` : `\`${name}:${qualifier}\``;
    }),
  );
  const more = names.size - SHOWN_FUNCTIONS;
  return `${[...names].slice(0, SHOWN_FUNCTIONS).join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
}

/** A note on a fix in Markdown: the functions that it is about, and its text. */
export function renderNote(note: FixNote): string {
  const text = noteInWords(note);
  return note.functions.length === 0 ? text : `${namesInMarkdown(note.functions)}: ${text}`;
}

/** A fix as Markdown: the statement, the notes, the commands. For a public place, without account IDs. */
export function renderFix(fix: Fix, { accountIds }: { accountIds: 'shown' | 'hidden' }): string {
  const { statement, notes, commands } = fix;
  const blocks = [
    statement === undefined
      ? []
      : ["Add this statement to the caller's policy:", codeBlock('json', statement)],
    notes.length === 0 ? [] : [notes.map((note) => `- ${renderNote(note)}`).join('\n')],
    commands.length === 0 ? [] : ['The owner of the function runs:', codeBlock('sh', commands.join('\n'))],
  ].flat();
  if (blocks.length === 0) return '';
  const markdown = `${blocks.join('\n\n')}\n`;
  return accountIds === 'hidden' ? hideAccountIds(markdown) : markdown;
}

/** Whether a step only checks permissions. An expectation that is not met is not about a permission. */
function isPermissionCheck(outcomes: ReportedOutcomes): boolean {
  for (const { invocation_type: type, outcome } of outcomes) {
    if (type !== 'DryRun' || outcome === 'expectation_failed') return false;
  }
  return outcomes.length > 0;
}

// A longer fix is left out, because GitHub drops a summary of over 1 MiB, and a part of a statement is useless.
const LONGEST_FIX = 200_000;

/** How to fix the refusals; empty if there are none. */
function fixFor(permissions: readonly Permission[], accountIds: 'shown' | 'hidden'): string {
  return permissions.every(({ isAllowed }) => isAllowed) ? '' : renderFix(fixOf(permissions), { accountIds });
}

/** The heading for dry runs: whether all are allowed, and the function if there is only one. */
function permissionHeading(outcomes: ReportedOutcomes, permissions: readonly Permission[]): string {
  const [single] = outcomes;
  const mark = permissions.every(({ isAllowed }) => isAllowed) ? '✅' : '❌';
  const subject =
    single !== undefined && outcomes.length === 1
      ? functionCell(single)
      : `${grouped(outcomes.length)} functions`;
  return `${mark} Permission to invoke ${subject}`;
}

/**
 * The job summary: the permissions and how to fix missing ones for dry runs, and the outcomes for other invocations.
 */
export function renderJobSummary(outcomes: ReportedOutcomes, extras: SummaryExtras = {}): string {
  if (!isPermissionCheck(outcomes)) return renderSummary(outcomes, extras);
  const permissions = Array.from(outcomes, readPermission);
  const fix = fixFor(permissions, 'shown');
  const shown = fix.length > LONGEST_FIX ? 'The fix is too long to show.' : fix.trimEnd();
  const heading = permissionHeading(outcomes, permissions);
  return renderParts({ heading, blocks: [renderPermissions(permissions).trimEnd(), shown] }, extras);
}

type CommentContents = Readonly<{ title: string; table: string; details: readonly Fold[] }>;

function permissionComment(outcomes: ReportedOutcomes): CommentContents {
  const permissions = Array.from(outcomes, readPermission);
  const fix = fixFor(permissions, 'hidden');
  return {
    title: permissionHeading(outcomes, permissions),
    table: renderPermissions(permissions),
    details: fix === '' ? [] : [{ title: 'How to fix this', body: fix }],
  };
}

function outcomesComment(outcomes: ReportedOutcomes): CommentContents {
  const { heading, blocks, folds } = summarize(outcomes);
  return { title: heading, table: joinMarkdown(blocks), details: folds };
}

/** The comment on a pull request: the summary without a timeline and without account IDs, because it can be public. */
export function renderComment(
  outcomes: ReportedOutcomes,
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
