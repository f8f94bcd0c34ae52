import {
  type ExpressionNode,
  guarded,
  isNothing,
  isPathStep,
  nodesInScope,
  pathsIn,
  readsIn,
  spelled,
} from '../shared/expression-tree.ts';
import { isFields, messageOf } from '../shared/values.ts';
import { cutText, explainComparison, type ScopedEvaluator, shownValue, whyNothing } from './explanations.ts';
import { hasHidden } from './masks.ts';

/** Whether a text that a function of the expression can't decode is an error. Otherwise its value is null. */
export type SearchOptions = Readonly<{ isStrict: boolean }>;

/** Evaluates a JMESPath expression on a document; null if nothing is found. Throws if a type is wrong. */
export type Search = (
  expression: string | ExpressionNode,
  document: unknown,
  options?: SearchOptions,
) => unknown;

/** The syntax tree of a valid expression. */
export type ParseTree = (expression: string) => ExpressionNode;

/** The expectation on an HTTP response if no other expectation reads `http`. */
export const IS_NO_ERROR = 'http.status < `400`';

/** Functions that parse and evaluate expressions, and hide secrets in a value before it is shown. */
export type ExpressionContext = Readonly<{
  search: Search;
  parseTree: ParseTree;
  hide: (value: unknown) => unknown;
}>;

/** Valid expressions, and the functions that parse and evaluate them. */
export type Expressions = Readonly<{
  expect: readonly string[];
  mask: readonly string[];
  query?: string;
  search?: Search;
  parseTree?: ParseTree;
}>;

/** An expectation and what it evaluated to, as in the outcome. */
export type Expectation = Readonly<{
  expression: string;
  met: boolean;
  /** The actual value: the left side of a comparison, or the value of any other expression. */
  value?: unknown;
}>;

/** An expectation, and a few lines on why it is not met. */
export type Checked = Readonly<{ expectation: Expectation; why: string }>;

/** The value of a part of an expectation, the innermost part that decides it, and the value that this part reads. */
type Finding = Readonly<{
  value: unknown;
  node: ExpressionNode;
  scope: unknown;
  /** Whether nothing that it reads exists, so that its value is meaningless. */
  isVoid: boolean;
}>;

const PROJECTIONS: ReadonlySet<ExpressionNode['type']> = new Set([
  'Projection',
  'ValueProjection',
  'FilterProjection',
]);

const isFalse = (value: unknown): boolean =>
  value === null ||
  value === false ||
  value === '' ||
  (typeof value === 'object' && Object.keys(value).length === 0);

/** Finds the part that decides an expectation. Throws if the expression can't be evaluated. */
class Finder {
  readonly #search: Search;

  constructor(search: Search) {
    this.#search = search;
  }

  find(node: ExpressionNode, scope: unknown): Finding {
    if (node.type === 'Pipe') {
      return this.#voidPart(node.left, scope) ?? this.find(node.right, this.#evaluate(node.left, scope));
    }
    if (node.type === 'AndExpression') {
      const left = this.find(node.left, scope);
      return left.isVoid || isFalse(left.value) ? left : this.find(node.right, scope);
    }
    if (node.type === 'OrExpression') {
      const left = this.find(node.left, scope);
      if (!left.isVoid && !isFalse(left.value)) return left;
      const right = this.find(node.right, scope);
      return right.isVoid || !isFalse(right.value) ? right : { ...right, node, scope };
    }
    if (node.type === 'NotExpression') {
      const child = this.find(node.child, scope);
      return child.isVoid ? child : { value: isFalse(child.value), node, scope, isVoid: false };
    }
    return this.#voidPart(node, scope) ?? { value: this.#evaluate(node, scope), node, scope, isVoid: false };
  }

  #evaluate(node: ExpressionNode, scope: unknown): unknown {
    return this.#search(guarded(node), scope);
  }

  #hasNothing(node: ExpressionNode, scope: unknown): boolean {
    const value = this.#evaluate(node, scope);
    return isNothing(value) || (PROJECTIONS.has(node.type) && Array.isArray(value) && value.length === 0);
  }

  /** Whether a part has no value, or has one although nothing that it reads exists. */
  #readsNothing(node: ExpressionNode, scope: unknown): boolean {
    if (node.type === 'Literal') return false;
    if (this.#hasNothing(node, scope)) return true;
    const paths = pathsIn(node);
    return paths.length > 0 && paths.every((path) => this.#hasNothing(path, scope));
  }

  /** A comparison of nothing with nothing, or a function of nothing; undefined if there is neither. */
  #voidPart(node: ExpressionNode, scope: unknown): Finding | undefined {
    const comparison = nodesInScope(node).find(
      (part) =>
        part.type === 'Comparator' &&
        this.#readsNothing(part.left, scope) &&
        this.#readsNothing(part.right, scope),
    );
    const isVoidFunction = node.type === 'Function' && this.#readsNothing(node, scope);
    const part = comparison ?? (isVoidFunction ? node : undefined);
    return part && { value: null, node: part, scope, isVoid: true };
  }
}

const evaluatorOn = (scope: unknown, { search, hide }: ExpressionContext): ScopedEvaluator => ({
  evaluate: (node) => search(node, scope) ?? null,
  hide,
});

const MUST_BE_TRUE = 'An expectation must evaluate to true: compare the value with something.';
const NOTHING_COMPARED =
  'Neither side exists, so the comparison is not met. To expect null, compare with `null`.';

/** Explains the part of an expectation that decides that it is not met. */
function explainFinding(
  { node, scope, value, isVoid }: Finding,
  context: ExpressionContext,
): { value: unknown; lines: string[] } {
  const evaluator = evaluatorOn(scope, context);
  if (node.type === 'Comparator') {
    const explained = explainComparison(node, evaluator);
    return isVoid ? { ...explained, lines: [...explained.lines, NOTHING_COMPARED] } : explained;
  }
  const parts = isVoid ? pathsIn(node) : [node];
  const reason = parts.map((part) => whyNothing(part, evaluator)).find((text) => text !== undefined);
  const isBoolean = typeof value === 'boolean';
  return {
    value,
    lines: [
      `Actual:   ${shownValue(context.hide(value))}`,
      'Expected: true',
      ...(reason === undefined || isBoolean ? [] : [`${reason}.`]),
      ...(isBoolean || reason !== undefined ? [] : [MUST_BE_TRUE]),
    ],
  };
}

/** Why a function refused its argument: because the argument does not exist, or in the words of the library. */
function explainError(error: unknown, tree: ExpressionNode, evaluator: ScopedEvaluator): string {
  for (const node of nodesInScope(tree)) {
    if (node.type !== 'Function') continue;
    const reasons = node.children
      .filter((child) => child.type !== 'ExpressionReference')
      .map((child) => {
        try {
          return evaluator.evaluate(child) === null ? whyNothing(child, evaluator) : undefined;
        } catch {
          return undefined;
        }
      });
    const reason = reasons.find((text) => text !== undefined);
    if (reason !== undefined) return `${reason}.`;
  }
  return `The expression cannot be evaluated: ${cutText(messageOf(error)).replace(/\.{1,3}$/, '')}.`;
}

function seenBy(tree: ExpressionNode, document: unknown, search: Search): unknown {
  return search(tree.type === 'Comparator' ? tree.left : tree, document) ?? null;
}

/** A sentence on why an expression has no value. */
export function whyNoValue(expression: string, document: unknown, context: ExpressionContext): string {
  const tree = context.parseTree(expression);
  const reason = whyNothing(tree, evaluatorOn(document, context)) ?? `${cutText(spelled(tree))} is null`;
  return `${reason}.`;
}

/** Checks one expectation. It is met if it evaluates to true and reads something that exists. Never throws. */
export function check(expression: string, document: unknown, context: ExpressionContext): Checked {
  const { search, parseTree } = context;
  const tree = parseTree(expression);
  try {
    const found = new Finder(search).find(tree, document);
    if (found.value === true && !found.isVoid) {
      const value = seenBy(tree, document, search);
      return { expectation: { expression, met: true, value }, why: '' };
    }
    const { value, lines } = explainFinding(found, context);
    const part = found.node === tree ? [] : [`Not met:  ${cutText(spelled(found.node))}`];
    return { expectation: { expression, met: false, value }, why: [...part, ...lines].join('\n') };
  } catch (error) {
    const why = explainError(error, tree, evaluatorOn(document, context));
    return { expectation: { expression, met: false }, why };
  }
}

/** A path and all its beginnings, the longest first. */
const withParents = (path: ExpressionNode): ExpressionNode[] =>
  isPathStep(path) ? [path, ...withParents(path.left)] : [path];

/** Whether a value on the way of a path is masked, so that nothing can be found in it. */
const isReplaced = (value: unknown): boolean =>
  isFields(value) ? Object.keys(value).some(hasHidden) : typeof value === 'string' && hasHidden(value);

/** The first masked path that an expression reads; undefined if there is none. */
export function hiddenPathIn(
  expression: string,
  document: unknown,
  { search, parseTree }: Pick<ExpressionContext, 'search' | 'parseTree'>,
): string | undefined {
  const hidden = readsIn(parseTree(expression)).find(
    (path) =>
      hasHidden(search(path, document)) ||
      withParents(path).some((parent) => isReplaced(search(parent, document))),
  );
  return hidden && (spelled(hidden) || '@');
}
