import {
  callerOf,
  type Fix,
  isCrossAccount,
  type Permission,
  policyInWords,
  type Refusal,
} from '../../outcome/permission.ts';
import { grouped } from '../../shared/figures.ts';
import { foreignCell, table } from '../markdown.ts';

/** The reason, in words. */
const WORDS: Readonly<Record<Refusal, string | ((permission: Permission) => string)>> = {
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

type Verdict = 'may' | 'may_not' | 'not_checked';

function verdictOf({ may, refusal }: Permission): Verdict {
  if (may) return 'may';
  return refusal === undefined || refusal === 'other' ? 'not_checked' : 'may_not';
}

const ICONS: Readonly<Record<Verdict, string>> = { may: '✅', may_not: '❌', not_checked: '❓' };

function reasonOf(permission: Permission): string {
  const { may, refusal = 'other' } = permission;
  if (may) return '';
  const words = WORDS[refusal];
  const why = typeof words === 'string' ? words : words(permission);
  return isCrossAccount(permission) ? `${why} (another account)` : why;
}

type Column = Readonly<{ title: string; cell: (permission: Permission) => string; leastValues: number }>;

/** A column is left out where it has fewer different values than it takes to be worth reading. */
const COLUMNS: readonly Column[] = [
  { title: 'Allowed', cell: (permission) => ICONS[verdictOf(permission)], leastValues: 0 },
  { title: 'Function', cell: ({ functionName }) => foreignCell(functionName), leastValues: 0 },
  { title: 'Qualifier', cell: ({ qualifier = '' }) => foreignCell(qualifier), leastValues: 1 },
  { title: 'Region', cell: ({ region = '' }) => foreignCell(region), leastValues: 2 },
  { title: 'Reason', cell: reasonOf, leastValues: 1 },
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

const WHAT: Readonly<Record<Verdict, Readonly<{ is: string; isNot: string }>>> = {
  may: { is: 'can be invoked', isNot: "can't be invoked" },
  may_not: { is: "can't be invoked", isNot: 'can be invoked' },
  not_checked: { is: 'could not be checked', isNot: 'could be checked' },
};

/** How many of all have this verdict. "All can't" could mean that some can. */
function sentence(verdict: Verdict, some: number, total: number): string {
  const { is, isNot } = WHAT[verdict];
  if (total === 1) return `The function ${is}.`;
  if (some < total) return `${grouped(some)} of ${grouped(total)} functions ${is}.`;
  return verdict === 'may'
    ? `All ${grouped(total)} functions ${is}.`
    : `None of the ${grouped(total)} functions ${isNot}.`;
}

function headline(permissions: readonly Permission[]): string {
  const total = permissions.length;
  const verdicts = permissions.map(verdictOf);
  const told = (['may_not', 'not_checked', 'may'] as const).flatMap((verdict) => {
    const some = verdicts.filter((each) => each === verdict).length;
    const isNews = some > 0 && (verdict !== 'may' || some === total);
    return isNews ? [sentence(verdict, some, total)] : [];
  });
  return `**${told.join(' ')}**`;
}

// More than anybody reads; the outcomes file has all.
const MOST_ROWS = 50;

/** Those that can't be invoked first where there are more than the table holds, and what it leaves out. */
function shownOf(permissions: readonly Permission[]): { shown: readonly Permission[]; rest: string } {
  if (permissions.length <= MOST_ROWS) return { shown: permissions, rest: '' };
  const refused = permissions.filter(({ may }) => !may);
  const allowed = permissions.filter(({ may }) => may);
  const more = { refused: refused.length - MOST_ROWS, allowed: allowed.length };
  const room = Math.max(0, -more.refused);
  const parts = [
    more.refused > 0 ? `${grouped(more.refused)} more that can't be invoked or could not be checked` : '',
    more.allowed > room ? `${grouped(more.allowed - room)} more that can be invoked` : '',
  ].filter((part) => part !== '');
  return { shown: [...refused, ...allowed].slice(0, MOST_ROWS), rest: `… and ${parts.join(', ')}.` };
}

// A name may have an account id in it, as those of stacks often have.
const ACCOUNT_ID = /(?<!\d)\d{12}(?!\d)/g;

/** Puts ACCOUNT_ID in the place of every 12-digit number; where there are several, ACCOUNT_ID_1, ACCOUNT_ID_2, … */
export function hideAccountIds(text: string): string {
  const ids = new Map([...new Set(text.match(ACCOUNT_ID) ?? [])].map((id, at) => [id, at + 1]));
  return text.replaceAll(ACCOUNT_ID, (id) => (ids.size === 1 ? 'ACCOUNT_ID' : `ACCOUNT_ID_${ids.get(id)}`));
}

/**
 * What the dry runs came to, as Markdown: what matters first, who asked, one row a function (above 50 the refused
 * first and a count of the rest). No account ids. Empty where there is none.
 */
export function renderPermissions(permissions: readonly Permission[]): string {
  if (permissions.length === 0) return '';
  const caller = callerOf(permissions);
  const { shown, rest } = shownOf(permissions);
  const blocks = [
    headline(permissions),
    caller === undefined ? '' : `Checked as ${caller.kind} ${foreignCell(caller.name)}.`,
    permissionsTable(shown),
    rest,
  ];
  return hideAccountIds(`${blocks.filter((block) => block !== '').join('\n\n')}\n`);
}

/** A code block whose fence is longer than any run of backticks in it. */
function codeBlock(language: string, text: string): string {
  const longest = Math.max(2, ...[...text.matchAll(/`+/g)].map(([run]) => run.length));
  const ticks = '`'.repeat(longest + 1);
  return [`${ticks}${language}`, text, ticks].join('\n');
}

/** A fix as Markdown: the statement, the notes, the commands. Without account ids for a place that is public. */
export function renderFix(fix: Fix, { accountIds }: { accountIds: 'shown' | 'hidden' }): string {
  const { statement, notes, commands } = fix;
  const blocks = [
    statement === undefined
      ? []
      : ["Add this statement to the caller's policy:", codeBlock('json', statement)],
    notes.length === 0 ? [] : [notes.map((note) => `- ${note}`).join('\n')],
    commands.length === 0 ? [] : ['The owner of the function runs:', codeBlock('sh', commands.join('\n'))],
  ].flat();
  if (blocks.length === 0) return '';
  const markdown = `${blocks.join('\n\n')}\n`;
  return accountIds === 'hidden' ? hideAccountIds(markdown) : markdown;
}
