import {
  type ExpressionNode,
  isPathStep,
  operatorOf,
  spelled,
  spelledName,
} from '../shared/expression-tree.ts';
import { nearest, shortened } from '../shared/text.ts';
import { isFields } from '../shared/values.ts';

/** Evaluates a part of an expression, and hides secrets in a value before it is shown. */
export type ScopedEvaluator = Readonly<{
  evaluate: (node: ExpressionNode) => unknown;
  hide: (value: unknown) => unknown;
}>;

type Comparison = Extract<ExpressionNode, { type: 'Comparator' }>;

const SHOWN_CHARACTERS = 200;
const SHOWN_KEYS = 20;

/** A text, cut at 200 characters. */
export const cutText = (text: string): string => shortened(text, SHOWN_CHARACTERS + 1);

/** A value as JSON on one line, cut at 200 characters. */
export const shownValue = (value: unknown): string => cutText(JSON.stringify(value ?? null));

/** A text with line breaks and the like escaped as in JSON. */
const escapedLine = (text: unknown): string =>
  JSON.stringify(String(text)).slice(1, -1).replaceAll('\\"', '"');

/** Fields that are known only with log_type: Tail. */
const LOG_FIELDS: ReadonlySet<string> = new Set([
  'duration_ms',
  'billed_duration_ms',
  'init_duration_ms',
  'restore_duration_ms',
  'memory_size_mb',
  'max_memory_used_mb',
  'cold_start',
  'log_result',
]);

/** Whether a text looks like a JSON object or list, by its first and last character. */
function looksLikeJson(text: string): boolean {
  const trimmed = text.trim();
  return ['{}', '[]'].includes(trimmed.charAt(0) + trimmed.charAt(trimmed.length - 1));
}

type Missing = Readonly<{ holder: unknown; holderText: string; name: string; path: string }>;

/** Why a field has no value, depending on the value that should have it. */
function whyNoField({ holder, holderText, name, path }: Missing, { hide }: ScopedEvaluator): string {
  if (typeof holder === 'string') {
    return looksLikeJson(holder)
      ? `${holderText} is a string of JSON: use powertools_json(${holderText}).${spelledName(name)}`
      : `${holderText} is a string, which has no fields`;
  }
  if (Array.isArray(holder)) {
    return `${holderText} is a list: use ${holderText}[0].${spelledName(name)} or ${holderText}[*].${spelledName(name)}`;
  }
  if (!isFields(holder)) return `${holderText} is ${shownValue(hide(holder))}, which has no fields`;
  const keys = Object.keys(holder);
  if (keys.includes(name)) return `${path} is null`;
  if (keys.length === 0) return `${path} does not exist; ${holderText} has no keys`;
  const meant = nearest(name, keys.slice(0, 1_000));
  const hint = meant === undefined ? '' : ` (did you mean ${spelledName(meant)}?)`;
  const more = keys.length > SHOWN_KEYS ? ', …' : '';
  const shown = hide(keys.slice(0, SHOWN_KEYS));
  const list = Array.isArray(shown) ? cutText(shown.map(escapedLine).join(', ')) : '';
  return `${path} does not exist${hint}; keys of ${holderText}: ${list}${more}`;
}

function whyNoArgument(
  { name, children }: Extract<ExpressionNode, { type: 'Function' }>,
  evaluator: ScopedEvaluator,
): string | undefined {
  const [argument] = children;
  if (argument === undefined) return undefined;
  const reason = whyNothing(argument, evaluator);
  if (reason !== undefined) return reason;
  return name.startsWith('powertools_') ? `${name} returns null for a text that it cannot decode` : undefined;
}

/** A sentence, without its period, on why a part of an expression has no value; undefined if it has one. */
export function whyNothing(node: ExpressionNode, evaluator: ScopedEvaluator): string | undefined {
  const { evaluate } = evaluator;
  if (node.type === 'Function') return evaluate(node) === null ? whyNoArgument(node, evaluator) : undefined;
  if (node.type === 'Field') {
    if (evaluate(node) !== null) return undefined;
    if (LOG_FIELDS.has(node.name)) return `${node.name} comes from the log: set log_type: Tail`;
    const holder = evaluate({ type: 'Current' });
    const isOutcome = isFields(holder) && 'function_name' in holder && 'attempts' in holder;
    if (isOutcome) return node.name in holder ? `${node.name} is null` : `this outcome has no ${node.name}`;
    return whyNoField({ holder, holderText: '@', name: node.name, path: spelled(node) }, evaluator);
  }
  if (!isPathStep(node)) return undefined;
  const holder = evaluate(node.left);
  if (holder === null) return whyNothing(node.left, evaluator);
  if (evaluate(node) !== null) return undefined;
  const holderText = spelled(node.left);
  if (node.type === 'Subexpression' && node.right.type === 'Field') {
    return whyNoField({ holder, holderText, name: node.right.name, path: spelled(node) }, evaluator);
  }
  if (!Array.isArray(holder)) return `${holderText} is not a list`;
  return node.type === 'IndexExpression'
    ? `${spelled(node)} does not exist; ${holderText} has ${holder.length} ${holder.length === 1 ? 'item' : 'items'}`
    : undefined;
}

/** A number, a boolean or a string as a user writes it in an expression. */
const written = (value: unknown): string =>
  typeof value === 'string' ? `'${cutText(escapedLine(value))}'` : `\`${shownValue(value)}\``;

/** Why two values of different types are not equal, if they look the same or were probably meant to be. */
function whyTypesDiffer(actual: unknown, expected: unknown, shown: unknown): string | undefined {
  const types = [typeof actual, typeof expected];
  if (types[0] === types[1] || !types.includes('string')) return undefined;
  if (!types.every((type) => ['string', 'number', 'boolean'].includes(type))) return undefined;
  return `a ${types[0]} never equals a ${types[1]}: write ${written(shown)} to expect this ${types[0]}`;
}

const isOrdering = ({ name }: Comparison): boolean => name !== 'EQ' && name !== 'NE';

/** Explains a comparison line by line: both sides, and why they may differ from what the user expected. */
export function explainComparison(
  node: Comparison,
  evaluator: ScopedEvaluator,
): { value: unknown; lines: string[] } {
  const { evaluate, hide } = evaluator;
  const isTurned = node.left.type === 'Literal' && node.right.type !== 'Literal';
  const [seen, wanted] = isTurned ? [node.right, node.left] : [node.left, node.right];
  const [actual, expected] = [evaluate(seen), evaluate(wanted)];
  const operator = node.name === 'EQ' ? '' : `${operatorOf(node)} `;
  const isOrderOfOthers =
    isOrdering(node) && [actual, expected].some((side) => side !== null && typeof side !== 'number');
  const reasons = [
    actual === null ? whyNothing(seen, evaluator) : undefined,
    expected === null ? whyNothing(wanted, evaluator) : undefined,
    isOrderOfOthers ? '<, <=, > and >= compare numbers only' : undefined,
    node.name === 'EQ' ? whyTypesDiffer(actual, expected, hide(actual)) : undefined,
  ];
  const expectedText =
    isTurned && isOrdering(node) ? spelled(node) : `${operator}${shownValue(hide(expected))}`;
  return {
    value: actual,
    lines: [
      `Actual:   ${shownValue(hide(actual))}`,
      `Expected: ${expectedText}`,
      ...new Set(reasons.filter((reason) => reason !== undefined).map((reason) => `${reason}.`)),
    ],
  };
}
