import leven from 'leven';
import type { Expressions, Search } from '../outcome/expectations.ts';
import { linesOf } from './lines.ts';
import type { Problems } from './problems.ts';

/** The parts of the JMESPath library that are loaded only where an expression is given. */
type Library = Readonly<{ search: Search; functions: readonly string[] }>;

async function loadLibrary(): Promise<Library> {
  const { search, functionNames } = await import('./jmespath.ts');
  return { search, functions: functionNames() };
}

/** Text outside of quotes, with spaces in place of what is quoted, so that columns stay. */
const unquoted = (expression: string): string =>
  expression.replace(/'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"|`(?:[^`\\]|\\.)*`/g, (text) =>
    ' '.repeat(text.length),
  );

type Mistake = Readonly<{ column: number; what: string }>;

const LITERAL = /^(?:-?\d+(?:\.\d+)?|true|false|null)$/;

/** A function that does not exist; the library would say so only when it comes to call it. */
function unknownFunction(expression: string, functions: readonly string[]): Mistake | undefined {
  for (const call of unquoted(expression).matchAll(/\b([A-Za-z_]\w*)\(/g)) {
    const [, name = ''] = call;
    if (functions.includes(name)) continue;
    const [nearest] = [...functions].sort((a, b) => leven(name, a) - leven(name, b));
    const meant = nearest !== undefined && leven(name, nearest) < 4 ? ` (did you mean ${nearest}?)` : '';
    return { column: call.index, what: `there is no function ${name}${meant}` };
  }
  return undefined;
}

function fieldOf(error: Error, name: string): unknown {
  return Object.entries(error).find(([field]) => field === name)?.[1];
}

/** What the library found when it parsed; undefined where it stumbled over a value and the text is sound. */
function syntaxMistake(error: unknown, expression: string): Mistake | undefined {
  if (!(error instanceof Error)) return undefined;
  const position = fieldOf(error, 'lexPosition') ?? fieldOf(error, 'lexerPosition');
  if (typeof position !== 'number') return undefined;
  const token = String(fieldOf(error, 'tokenValue') ?? fieldOf(error, 'lexerValue') ?? '');
  if (fieldOf(error, 'tokenType') === 'eof')
    return { column: expression.length, what: 'the expression ends too early' };
  if (LITERAL.test(token)) {
    return { column: position, what: `numbers, true, false and null stand in backticks: \`${token}\`` };
  }
  if (token === '=') return { column: position, what: 'a comparison is written ==' };
  return { column: position, what: `${token === '' ? 'this' : token} is not expected here` };
}

function mistakeIn(expression: string, { search, functions }: Library): Mistake | undefined {
  try {
    search(expression, {});
  } catch (error) {
    const mistake = syntaxMistake(error, expression);
    if (mistake) return mistake;
  }
  return unknownFunction(expression, functions);
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

  const library = await loadLibrary();
  for (const { input, text } of named) {
    const mistake = mistakeIn(text, library);
    if (mistake) {
      problems.add(
        `${input} has an expression that is no JMESPath: ${mistake.what}.\n    ${text}\n    ${' '.repeat(mistake.column)}^`,
      );
    }
  }
  return { expect, mask, ...(query !== '' && { query }), search: library.search };
}
