import { describe, expect, test } from '@jest/globals';
import { toString as textOf } from 'mdast-util-to-string';
import remarkGfm from 'remark-gfm';
import remarkParse from 'remark-parse';
import { unified } from 'unified';
import { visit } from 'unist-util-visit';
import { parseTree, search } from '../../../src/inputs/jmespath.ts';
import { check } from '../../../src/outcome/expectations.ts';
import { documents } from '../../markdown.ts';
import { problemsFor } from './factory.ts';

type Row = Readonly<{ typed: string; told: string }>;

const page = documents.find(({ file }) => file === 'docs/expressions.md');
const outcome = JSON.parse(page?.blocks.find(({ language }) => language === 'json')?.text ?? '');

/** The rows of the page's tables with this heading in the second column. */
function rowsOf(heading: string): Row[] {
  const rows: Row[] = [];
  visit(
    unified()
      .use(remarkParse)
      .use(remarkGfm)
      .parse(page?.text ?? ''),
    'table',
    ({ children }) => {
      const cells = children.map((row) => row.children.map((cell) => textOf(cell).trim()));
      if (cells[0]?.[1] !== heading) return;
      rows.push(...cells.slice(1).map(([typed = '', told = '']) => ({ typed, told })));
    },
  );
  return rows;
}

describe('docs/expressions.md', () => {
  const values = rowsOf('value in the outcome above');
  const mistakes = rowsOf('message');

  test('has tables', () => {
    expect(values.length).toBeGreaterThan(20);
    expect(mistakes.length).toBeGreaterThan(15);
  });

  test.each(values)('$typed is $told', ({ typed, told }) => {
    expect(search(parseTree(typed), outcome)).toEqual(JSON.parse(told));
  });

  test.each(values)('$typed is accepted', async ({ typed }) => {
    expect(await problemsFor({ query: typed })).toEqual([]);
  });

  test.each(mistakes)('has the same message for $typed as the action', async ({ typed, told }) => {
    const problems = await problemsFor({ expect: typed });
    const { why } = problems.length > 0 ? { why: '' } : check(typed, outcome, SIGHT);
    const lines = [...problems, why].flatMap((text) => text.replace(/^expect: /, '').split('\n'));
    expect(lines).toContain(told);
  });
});

const SIGHT = { search, parseTree, hide: (value: unknown) => value };
