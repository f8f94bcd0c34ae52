import type { Invocation } from '../lambda/invocation.ts';
import type { Expressions } from '../outcome/expectations.ts';
import type { Invoked } from './expression-names.ts';
import { linesOf } from './input-types.ts';
import type { Problems } from './problems.ts';

/** The parts that know JMESPath, which are loaded only if an expression is given: one chunk, without copies. */
const loadLibrary = () => import('./expression-names.ts');

/** An entry with its own expectations, and their place for messages. */
export type OwnExpectations = Readonly<{ place: string; invocation: Omit<Invocation, 'index' | 'payload'> }>;

/** An expression, its input, the invocations that it applies to, and the collector of its problems. */
type NamedExpression = Readonly<{ input: string; text: string; invoked: Invoked; found: Problems }>;

const ownExpressions = (
  { place, invocation }: OwnExpectations,
  invoked: Invoked,
  problems: Problems,
): NamedExpression[] =>
  (invocation.expect ?? []).map((text) => ({
    input: 'expect',
    text,
    invoked: { ...invoked, invocations: [invocation] },
    found: problems.at(place),
  }));

/** Reads `expect`, `query` and `mask`. A problem shows the expression with a caret under the mistake. */
export async function parseExpressions(
  given: Readonly<{ expect: string; query: string; mask: string }>,
  { own = [], ...invoked }: Invoked & Readonly<{ own?: readonly OwnExpectations[] }>,
  problems: Problems,
): Promise<Expressions> {
  const expect = linesOf(given.expect);
  const mask = linesOf(given.mask);
  // A query is one expression, even on several lines.
  const query = linesOf(given.query).join(' ');
  const ofStep = { invoked, found: problems };
  const named: readonly NamedExpression[] = [
    ...expect.map((text) => ({ ...ofStep, input: 'expect', text })),
    ...(query === '' ? [] : [{ ...ofStep, input: 'query', text: query }]),
    ...mask.map((text) => ({ ...ofStep, input: 'mask', text })),
    ...own.flatMap((entry) => ownExpressions(entry, invoked, problems)),
  ];
  // If no expectation reads the response to an HTTP request, the evaluation adds one that does.
  const hasHttp = invoked.invocations.some(({ http }) => http !== undefined);
  if (named.length === 0 && !hasHttp) return { expect: [], mask: [] };

  const { search, parseTree, readTree, absentField, nameMistake } = await loadLibrary();
  for (const { input, text, invoked: expected, found } of named) {
    const read = readTree(text, { isOneOfMany: input !== 'query' });
    const mistake =
      'what' in read
        ? read
        : (nameMistake({ text, tree: read }, expected) ?? absentField({ text, tree: read, input }, expected));
    if (mistake === undefined) continue;
    const { what, column } = mistake;
    const end = /[.?]$/.test(what) ? '' : '.';
    found.add(`${input}: ${what}${end}\n    ${text}\n    ${' '.repeat(column)}^`);
  }
  return { expect, mask, ...(query !== '' && { query }), search, parseTree };
}
