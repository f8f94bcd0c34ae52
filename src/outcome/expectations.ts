import { messageOf } from '../shared/errors.ts';
import { shortened } from '../shared/text.ts';

/** Whether a text that a function of the expression can't decode is an error; else it is null. */
export type SearchOptions = Readonly<{ isStrict: boolean }>;

/** Evaluates a JMESPath expression on a document; null where there is nothing. Throws on a wrong type. */
export type Search = (expression: string, document: unknown, options?: SearchOptions) => unknown;

/** What evaluates expressions, and what hides secrets in a value before it is shown. */
export type Sight = Readonly<{ search: Search; hide: (value: unknown) => unknown }>;

/** Sound expressions, and what evaluates them; no `search` where there are none. */
export type Expressions = Readonly<{
  expect: readonly string[];
  mask: readonly string[];
  query?: string;
  search?: Search;
}>;

/** An expectation with what it came to, as the outcome has it. */
export type Expectation = Readonly<{
  expression: string;
  met: boolean;
  /** What the expression saw: the left side of a comparison, else its own value. */
  value?: unknown;
}>;

/** An expectation, and in a sentence why it did not hold. */
export type Checked = Readonly<{ expectation: Expectation; why: string }>;

type Comparison = Readonly<{ left: string; operator: string; right: string }>;

const QUOTES = ["'", '"', '`'];
const OPERATORS = ['||', '&&', '==', '!=', '<=', '>=', '<', '>', '|'];

/** Operators that stand outside of brackets and quotes, with their places. */
function outerOperators(expression: string): { at: number; operator: string }[] {
  const found: { at: number; operator: string }[] = [];
  let quote: string | undefined;
  let depth = 0;
  for (let at = 0; at < expression.length; at += 1) {
    const character = expression.charAt(at);
    if (quote !== undefined) {
      if (character === '\\') at += 1;
      else if (character === quote) quote = undefined;
    } else if (QUOTES.includes(character)) quote = character;
    else if ('([{'.includes(character)) depth += 1;
    else if (')]}'.includes(character)) depth -= 1;
    else if (depth === 0) {
      const operator = OPERATORS.find((candidate) => expression.startsWith(candidate, at));
      if (operator !== undefined) {
        found.push({ at, operator });
        at += operator.length - 1;
      }
    }
  }
  return found;
}

/** The parts of `a && b && c`; the whole where there is an "or" or a pipe, which bind less. */
function conjuncts(expression: string): string[] {
  const operators = outerOperators(expression);
  if (operators.some(({ operator }) => operator === '||' || operator === '|')) return [expression];
  const ands = operators.filter(({ operator }) => operator === '&&');
  return [...ands, { at: expression.length }].map(({ at }, index) => {
    const before = ands[index - 1];
    return expression.slice(before === undefined ? 0 : before.at + 2, at).trim();
  });
}

function comparisonIn(expression: string): Comparison | undefined {
  const [first, ...others] = outerOperators(expression);
  if (first === undefined || others.length > 0 || ['|', '||', '&&'].includes(first.operator))
    return undefined;
  return {
    left: expression.slice(0, first.at).trim(),
    operator: first.operator,
    right: expression.slice(first.at + first.operator.length).trim(),
  };
}

// With the … of a text that is longer.
const SHOWN_CHARACTERS = 201;

/** A value as JSON on one line, cut at 200 characters. */
function show(value: unknown): string {
  return shortened(JSON.stringify(value ?? null), SHOWN_CHARACTERS);
}

const typeOf = (value: unknown): string => {
  if (value === null || value === undefined) return 'nothing';
  return Array.isArray(value) ? 'a list' : `${typeof value === 'object' ? 'an' : 'a'} ${typeof value}`;
};

/** What often goes wrong in a comparison, in a sentence; undefined where it is just not so. */
function commonMistake(
  { left, right }: Comparison,
  { seen, wanted, shown }: { seen: unknown; wanted: unknown; shown: string },
): string | undefined {
  if (/^"[^"]*"$/.test(right) && (wanted === null || wanted === undefined)) {
    return `In JMESPath ${right} names a field; a string is written '${right.slice(1, -1)}'.`;
  }
  if (seen === null && left.includes('powertools_json(')) {
    return 'powertools_json gives null for a text that is no JSON.';
  }
  const mixed =
    (typeof seen === 'number' && typeof wanted === 'string') ||
    (typeof seen === 'string' && typeof wanted === 'number');
  if (mixed) {
    return `${left} is ${typeOf(seen)} and ${right} is ${typeOf(wanted)}, which are never equal: write \`${shown}\` for the ${typeof seen}.`;
  }
  return undefined;
}

type Explanation = Readonly<{ value?: unknown; why: string }>;

function explain(expression: string, document: unknown, { search, hide }: Sight): Explanation {
  const parts = conjuncts(expression);
  const part = parts.find((text) => search(text, document) !== true) ?? expression;
  const comparison = comparisonIn(part);
  if (comparison === undefined) {
    const value = search(part, document) ?? null;
    const told =
      typeof value === 'boolean' ? '' : ' An expectation has to come to true: compare it with something.';
    return { value, why: `${part} is ${show(hide(value))}.${told}` };
  }
  const value = search(comparison.left, document) ?? null;
  const wanted = search(comparison.right, document);
  const shown = show(hide(value));
  const mistake = commonMistake(comparison, { seen: value, wanted, shown });
  return { value, why: `${comparison.left} is ${shown}.${mistake === undefined ? '' : ` ${mistake}`}` };
}

function seenBy(expression: string, document: unknown, search: Search): unknown {
  const comparison = comparisonIn(expression);
  return search(comparison?.left ?? expression, document) ?? null;
}

/** Checks one expectation: it holds where it comes to true, and nothing else. Never throws. */
export function check(expression: string, document: unknown, sight: Sight): Checked {
  const { search } = sight;
  try {
    if (search(expression, document) === true) {
      return {
        expectation: { expression, met: true, value: seenBy(expression, document, search) },
        why: '',
      };
    }
    const { value, why } = explain(expression, document, sight);
    return { expectation: { expression, met: false, value }, why };
  } catch (error) {
    // The library repeats the expression at the message's end.
    const [reason = ''] = messageOf(error).split(' in expression: ');
    return {
      expectation: { expression, met: false },
      why: `It can't be evaluated: ${reason.slice(0, SHOWN_CHARACTERS)}.`,
    };
  }
}
