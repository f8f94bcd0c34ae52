import { messageOf } from '../shared/errors.ts';
import { type ExpressionNode, spelled } from '../shared/expression-tree.ts';

/** Whether a text that a function of the expression can't decode is an error; else it is null. */
export type SearchOptions = Readonly<{ isStrict: boolean }>;

/** Evaluates a JMESPath expression on a document; null where there is nothing. Throws on a wrong type. */
export type Search = (
  expression: string | ExpressionNode,
  document: unknown,
  options?: SearchOptions,
) => unknown;

/** The syntax tree of a sound expression. */
export type ParseTree = (expression: string) => ExpressionNode;

/** What evaluates expressions, and what hides secrets in a value before it is shown. */
export type Sight = Readonly<{ search: Search; parseTree: ParseTree; hide: (value: unknown) => unknown }>;

/** Sound expressions, and what reads and evaluates them; neither where there are none. */
export type Expressions = Readonly<{
  expect: readonly string[];
  mask: readonly string[];
  query?: string;
  search?: Search;
  parseTree?: ParseTree;
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

type Comparison = Extract<ExpressionNode, { type: 'Comparator' }>;

/** The parts of `a && b && c`; the whole of anything else. */
const conjuncts = (node: ExpressionNode): ExpressionNode[] =>
  node.type === 'AndExpression' ? [...conjuncts(node.left), ...conjuncts(node.right)] : [node];

const SHOWN_CHARACTERS = 200;

/** A value as JSON on one line, cut at 200 characters. */
function show(value: unknown): string {
  const json = JSON.stringify(value ?? null);
  return json.length > SHOWN_CHARACTERS ? `${json.slice(0, SHOWN_CHARACTERS)}…` : json;
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
  if (right.type === 'Field' && wanted === null) {
    const name = JSON.stringify(right.name);
    return `In JMESPath ${name} names a field; a string is written '${right.name}'.`;
  }
  if (seen === null && spelled(left).includes('powertools_json(')) {
    return 'powertools_json gives null for a text that is no JSON.';
  }
  const mixed =
    (typeof seen === 'number' && typeof wanted === 'string') ||
    (typeof seen === 'string' && typeof wanted === 'number');
  if (mixed) {
    return `${spelled(left)} is ${typeOf(seen)} and ${spelled(right)} is ${typeOf(wanted)}, which are never equal: write \`${shown}\` for the ${typeof seen}.`;
  }
  return undefined;
}

type Explanation = Readonly<{ value?: unknown; why: string }>;

function explain(tree: ExpressionNode, document: unknown, { search, hide }: Sight): Explanation {
  const part = conjuncts(tree).find((node) => search(node, document) !== true) ?? tree;
  if (part.type !== 'Comparator') {
    const value = search(part, document) ?? null;
    const told =
      typeof value === 'boolean' ? '' : ' An expectation has to come to true: compare it with something.';
    return { value, why: `${spelled(part)} is ${show(hide(value))}.${told}` };
  }
  const value = search(part.left, document) ?? null;
  const wanted = search(part.right, document) ?? null;
  const shown = show(hide(value));
  const mistake = commonMistake(part, { seen: value, wanted, shown });
  return { value, why: `${spelled(part.left)} is ${shown}.${mistake === undefined ? '' : ` ${mistake}`}` };
}

/** What an expectation that is met saw: the left side of a comparison, else its own value. */
function seenBy(tree: ExpressionNode, document: unknown, search: Search): unknown {
  return search(tree.type === 'Comparator' ? tree.left : tree, document) ?? null;
}

/** Checks one expectation: it holds where it comes to true, and nothing else. Never throws. */
export function check(expression: string, document: unknown, sight: Sight): Checked {
  const { search, parseTree } = sight;
  try {
    const tree = parseTree(expression);
    if (search(tree, document) === true) {
      return {
        expectation: { expression, met: true, value: seenBy(tree, document, search) },
        why: '',
      };
    }
    const { value, why } = explain(tree, document, sight);
    return { expectation: { expression, met: false, value }, why };
  } catch (error) {
    return {
      expectation: { expression, met: false },
      why: `It can't be evaluated: ${messageOf(error).slice(0, SHOWN_CHARACTERS)}.`,
    };
  }
}
