import type { Expressions } from '../outcome/expectations.ts';
import type { Invoked } from './expression-names.ts';
import { linesOf } from './input-types.ts';
import type { Problems } from './problems.ts';

/** The parts that know JMESPath, which are loaded only where an expression is given. */
async function loadLibrary() {
  const [{ search, parseTree }, { readTree }, { absentField, nameMistake }] = await Promise.all([
    import('./jmespath.ts'),
    import('./expression-mistakes.ts'),
    import('./expression-names.ts'),
  ]);
  return { search, parseTree, readTree, absentField, nameMistake };
}

/** Reads `expect`, `query` and `mask`, and finds what can't mean anything, with a caret under the place. */
export async function parseExpressions(
  given: Readonly<{ expect: string; query: string; mask: string }>,
  invoked: Invoked,
  problems: Problems,
): Promise<Expressions> {
  const expect = linesOf(given.expect);
  const mask = linesOf(given.mask);
  // One expression, however many lines it takes.
  const query = linesOf(given.query).join(' ');
  const named = [
    ...expect.map((text) => ({ input: 'expect', text })),
    ...(query === '' ? [] : [{ input: 'query', text: query }]),
    ...mask.map((text) => ({ input: 'mask', text })),
  ];
  if (named.length === 0) return { expect: [], mask: [] };

  const { search, parseTree, readTree, absentField, nameMistake } = await loadLibrary();
  for (const { input, text } of named) {
    const read = readTree(text, { isOneOfMany: input !== 'query' });
    const mistake =
      'what' in read ? read : (nameMistake(text, read) ?? absentField({ text, tree: read, input }, invoked));
    if (mistake === undefined) continue;
    const { what, column } = mistake;
    const end = /[.?]$/.test(what) ? '' : '.';
    problems.add(`${input}: ${what}${end}\n    ${text}\n    ${' '.repeat(column)}^`);
  }
  return { expect, mask, ...(query !== '' && { query }), search, parseTree };
}
