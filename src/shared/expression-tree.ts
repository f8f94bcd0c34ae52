import type { compile } from '@jmespath-community/jmespath';

/** A node of a JMESPath expression's syntax tree. It does not know its place in the text. */
export type ExpressionNode = ReturnType<typeof compile>;

const COMPARATORS = { EQ: '==', NE: '!=', LT: '<', LTE: '<=', GT: '>', GTE: '>=' } as const;

/** The operator of a comparison, as users write it. */
export const operatorOf = ({ name }: Extract<ExpressionNode, { type: 'Comparator' }>): string =>
  COMPARATORS[name];

/** Whether a word can be the name of a field without quotes. */
export const isIdentifier = (word: string): boolean => /^[A-Za-z_]\w*$/.test(word);

/** A field's name in an expression, in double quotes if it is not an identifier. */
export const spelledName = (name: string): string => (isIdentifier(name) ? name : JSON.stringify(name));

const spelledLiteral = (value: unknown): string =>
  typeof value === 'string'
    ? `'${value.replace(/['\\]/g, '\\$&')}'`
    : `\`${JSON.stringify(value).replaceAll('`', '\\`')}\``;

type Change = (node: ExpressionNode) => ExpressionNode;

const mapSides = <Node extends Readonly<{ left: ExpressionNode; right: ExpressionNode }>>(
  node: Node,
  change: Change,
): Node => ({ ...node, left: change(node.left), right: change(node.right) });

/**
 * The node with each of its children changed. Nodes that are not standard JMESPath stay: the input check refuses them.
 */
export function mapChildren(node: ExpressionNode, change: Change): ExpressionNode {
  switch (node.type) {
    case 'NotExpression':
    case 'Flatten':
    case 'ExpressionReference':
      return { ...node, child: change(node.child) };
    case 'AndExpression':
    case 'OrExpression':
    case 'Pipe':
    case 'Subexpression':
    case 'IndexExpression':
    case 'Projection':
    case 'ValueProjection':
    case 'Comparator':
    case 'Arithmetic':
      return mapSides(node, change);
    case 'FilterProjection':
      return { ...mapSides(node, change), condition: change(node.condition) };
    case 'MultiSelectHash':
      return { ...node, children: node.children.map((pair) => ({ ...pair, value: change(pair.value) })) };
    case 'MultiSelectList':
    case 'Function':
      return { ...node, children: node.children.map(change) };
    case 'Field':
    case 'Literal':
    case 'Index':
    case 'Slice':
    case 'Identity':
    case 'Current':
    case 'Root':
    case 'Variable':
    case 'Unary':
    case 'LetExpression':
    case 'Binding':
    case 'Ternary':
      return node;
    default:
      return node satisfies never;
  }
}

/** A node's children, in the order of the text. */
export function childrenOf(node: ExpressionNode): ExpressionNode[] {
  const found: ExpressionNode[] = [];
  mapChildren(node, (child) => {
    found.push(child);
    return child;
  });
  return found;
}

const PATH_STEPS: ReadonlySet<ExpressionNode['type']> = new Set([
  'Subexpression',
  'IndexExpression',
  'Projection',
  'ValueProjection',
  'FilterProjection',
]);

type PathStep = Extract<ExpressionNode, { left: ExpressionNode }>;

/** Whether a node selects something in the value of its left side: a field, an item, or a part of all items. */
export const isPathStep = (node: ExpressionNode): node is PathStep => PATH_STEPS.has(node.type);

/** Builds `left.right`, with the last step on top. The library builds `left.(right[0])` instead. */
function stepped(left: ExpressionNode, right: ExpressionNode): ExpressionNode {
  if (right.type === 'Flatten') return { ...right, child: stepped(left, right.child) };
  return isPathStep(right)
    ? { ...right, left: stepped(left, right.left) }
    : { type: 'Subexpression', left, right };
}

/**
 * The expression with all paths built step by step, so that the left side of each step is the value that it selects in.
 */
export function withSteps(node: ExpressionNode): ExpressionNode {
  const same = mapChildren(node, withSteps);
  return same.type === 'Subexpression' ? stepped(same.left, same.right) : same;
}

// How strongly an operator binds its sides. Nodes that are not listed bind most strongly.
const BINDING: Readonly<Partial<Record<ExpressionNode['type'], number>>> = {
  Pipe: 1,
  OrExpression: 2,
  AndExpression: 3,
  Comparator: 4,
  Projection: 5,
  ValueProjection: 5,
  FilterProjection: 5,
  Subexpression: 5,
  NotExpression: 6,
};

function spelledWithin(node: ExpressionNode, least: number): string {
  const text = spelled(node);
  return (BINDING[node.type] ?? 7) < least ? `(${text})` : text;
}

/** A path with its next step: a bracket as it is, and anything else after a dot. */
function spelledAfter(path: string, node: ExpressionNode): string {
  if (node.type === 'Identity') return path;
  const next = spelled(node);
  return path === '' || /^\[[?*\d:-]|^\[\]/.test(next) ? `${path}${next}` : `${path}.${next}`;
}

function spelledProjection(left: ExpressionNode, right: ExpressionNode): string {
  const hasBracket =
    left.type === 'Flatten' || (left.type === 'IndexExpression' && left.right.type === 'Slice');
  return spelledAfter(hasBracket ? spelled(left) : `${spelledWithin(left, 5)}[*]`, right);
}

function spelledValues(left: ExpressionNode, right: ExpressionNode): string {
  const path = spelledWithin(left, 5);
  return spelledAfter(path === '' ? '*' : `${path}.*`, right);
}

type Leaf = Extract<ExpressionNode, { type: 'Field' | 'Literal' | 'Index' | 'Slice' }>;

function spelledLeaf(node: Leaf): string {
  switch (node.type) {
    case 'Field':
      return spelledName(node.name);
    case 'Literal':
      return spelledLiteral(node.value);
    case 'Index':
      return `[${node.value}]`;
    case 'Slice':
      return `[${node.start ?? ''}:${node.stop ?? ''}${node.step === null ? '' : `:${node.step}`}]`;
    default:
      return node satisfies never;
  }
}

type Selection = Extract<ExpressionNode, { type: 'MultiSelectList' | 'MultiSelectHash' | 'Function' }>;

function spelledSelection(node: Selection): string {
  switch (node.type) {
    case 'MultiSelectList':
      return `[${node.children.map(spelled).join(', ')}]`;
    case 'MultiSelectHash':
      return `{${node.children.map(({ name, value }) => `${spelledName(name)}: ${spelled(value)}`).join(', ')}}`;
    case 'Function':
      return `${node.name}(${node.children.map(spelled).join(', ')})`;
    default:
      return node satisfies never;
  }
}

type UnaryType = 'Flatten' | 'NotExpression' | 'ExpressionReference';

function spelledUnary(type: UnaryType, child: ExpressionNode): string {
  switch (type) {
    case 'Flatten':
      return `${spelledWithin(child, 5)}[]`;
    case 'NotExpression':
      return `!${spelledWithin(child, 6)}`;
    case 'ExpressionReference':
      return `&${spelled(child)}`;
    default:
      return type satisfies never;
  }
}

type Binary = Extract<ExpressionNode, { left: ExpressionNode; right: ExpressionNode }>;

function spelledBinary(node: Binary): string {
  switch (node.type) {
    case 'Subexpression':
      return spelledAfter(spelledWithin(node.left, 5), node.right);
    case 'IndexExpression':
      return `${spelledWithin(node.left, 5)}${spelled(node.right)}`;
    case 'Projection':
      return spelledProjection(node.left, node.right);
    case 'ValueProjection':
      return spelledValues(node.left, node.right);
    case 'FilterProjection':
      return spelledAfter(`${spelledWithin(node.left, 5)}[?${spelled(node.condition)}]`, node.right);
    case 'Comparator':
      return `${spelledWithin(node.left, 5)} ${operatorOf(node)} ${spelledWithin(node.right, 5)}`;
    case 'AndExpression':
      return `${spelledWithin(node.left, 3)} && ${spelledWithin(node.right, 4)}`;
    case 'OrExpression':
      return `${spelledWithin(node.left, 2)} || ${spelledWithin(node.right, 3)}`;
    case 'Pipe':
      return `${spelled(node.left)} | ${spelledWithin(node.right, 2)}`;
    case 'Arithmetic':
      return '';
    default:
      return node satisfies never;
  }
}

/** The text of an expression as a user would write it, which can differ from the original text. */
export function spelled(node: ExpressionNode): string {
  switch (node.type) {
    case 'Field':
    case 'Literal':
    case 'Index':
    case 'Slice':
      return spelledLeaf(node);
    case 'Subexpression':
    case 'IndexExpression':
    case 'Projection':
    case 'ValueProjection':
    case 'FilterProjection':
    case 'Comparator':
    case 'AndExpression':
    case 'OrExpression':
    case 'Pipe':
    case 'Arithmetic':
      return spelledBinary(node);
    case 'Flatten':
    case 'NotExpression':
    case 'ExpressionReference':
      return spelledUnary(node.type, node.child);
    case 'MultiSelectList':
    case 'MultiSelectHash':
    case 'Function':
      return spelledSelection(node);
    case 'Current':
      return '@';
    case 'Identity':
    case 'Root':
    case 'Variable':
    case 'Unary':
    case 'LetExpression':
    case 'Binding':
    case 'Ternary':
      return '';
    default:
      return node satisfies never;
  }
}

/** The children of a node that are evaluated on the same value as the node. */
function seenChildren(node: ExpressionNode): ExpressionNode[] {
  switch (node.type) {
    case 'Subexpression':
    case 'Pipe':
      return node.left.type === 'Current' ? [node.right] : [node.left];
    case 'IndexExpression':
    case 'Projection':
    case 'ValueProjection':
    case 'FilterProjection':
      return [node.left];
    case 'ExpressionReference':
      return [];
    case 'Field':
    case 'Literal':
    case 'Index':
    case 'Slice':
    case 'Identity':
    case 'Current':
    case 'Comparator':
    case 'AndExpression':
    case 'OrExpression':
    case 'NotExpression':
    case 'Flatten':
    case 'MultiSelectHash':
    case 'MultiSelectList':
    case 'Function':
    case 'Root':
    case 'Variable':
    case 'Unary':
    case 'Arithmetic':
    case 'LetExpression':
    case 'Binding':
    case 'Ternary':
      return childrenOf(node);
    default:
      return node satisfies never;
  }
}

/** A node and all nodes below it that are evaluated on the same value. Filters and projections have other values. */
export const nodesInScope = (node: ExpressionNode): ExpressionNode[] => [
  node,
  ...seenChildren(node).flatMap(nodesInScope),
];

/** Whether an expression reads a field of the document that it is evaluated on. */
export const readsField = (tree: ExpressionNode, name: string): boolean =>
  nodesInScope(tree).some((node) => node.type === 'Field' && node.name === name);

const isPath = (node: ExpressionNode): boolean =>
  isPathStep(node) || ['Field', 'Current', 'Pipe'].includes(node.type);

/** The longest paths in an expression that begin at the value that it is evaluated on. */
export const pathsIn = (node: ExpressionNode): ExpressionNode[] =>
  isPath(node) ? [node] : seenChildren(node).flatMap(pathsIn);

/** Whether a node is a path with only fields and items. */
function isPlainPath(node: ExpressionNode): boolean {
  if (node.type !== 'Subexpression' && node.type !== 'IndexExpression') {
    return ['Field', 'Current', 'Identity'].includes(node.type);
  }
  return isPlainPath(node.left) && ['Field', 'Index', 'Identity'].includes(node.right.type);
}

/**
 * The paths that an expression reads in the value that it is evaluated on, with only fields and items. If a path continues
 * with a filter or a function, everything at the end of the plain path counts as read.
 */
export function readsIn(node: ExpressionNode): ExpressionNode[] {
  if (isPlainPath(node)) return [node];
  return (isPath(node) && 'left' in node ? [node.left] : seenChildren(node)).flatMap(readsIn);
}

/** Whether a value is null, or a list or an object that contains only null. */
export function isNothing(value: unknown): boolean {
  if (typeof value !== 'object') return value === undefined;
  if (value === null) return true;
  const items = Object.values(value);
  return items.length > 0 && items.every(isNothing);
}

/** The name of the function that replaces a comparison in a guarded expression. */
export const guardName = (operator: keyof typeof COMPARATORS): string => `compare ${operator}`;

/** The names of the comparisons in the syntax tree. */
export const COMPARISONS = ['EQ', 'NE', 'LT', 'LTE', 'GT', 'GTE'] as const;

/** The expression with guarded comparisons: comparing null with null throws, unless one of them is a literal. */
export function guarded(node: ExpressionNode): ExpressionNode {
  const same = mapChildren(node, guarded);
  if (same.type !== 'Comparator' || same.left.type === 'Literal' || same.right.type === 'Literal')
    return same;
  const text: ExpressionNode = { type: 'Literal', value: spelled(node) };
  return { type: 'Function', name: guardName(same.name), children: [same.left, same.right, text] };
}
