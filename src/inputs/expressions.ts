import type { Expressions } from '../outcome/expectations.ts';
import { linesOf } from './lines.ts';
import type { Problems } from './problems.ts';

/** The parts that know JMESPath, which are loaded only where an expression is given. */
async function loadLibrary() {
  const [{ search, parseTree }, { readTree }] = await Promise.all([
    import('./jmespath.ts'),
    import('./expression-mistakes.ts'),
  ]);
  return { search, parseTree, readTree };
}

/** Reads `expect`, `query` and `mask`, and finds what does not compile, with a caret under the place. */
export async function parseExpressions(
  given: { expect: string; query: string; mask: string },
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

  const { search, parseTree, readTree } = await loadLibrary();
  for (const { input, text } of named) {
    const read = readTree(text);
    if ('what' in read) {
      problems.add(`${input}: ${read.what}.\n    ${text}\n    ${' '.repeat(read.column)}^`);
    }
  }
  return { expect, mask, ...(query !== '' && { query }), search, parseTree };
}
