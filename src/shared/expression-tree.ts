import type { compile } from '@jmespath-community/jmespath';

/** A node of a JMESPath expression's syntax tree. It has no places in the text. */
export type ExpressionNode = ReturnType<typeof compile>;

const COMPARATORS = { EQ: '==', NE: '!=', LT: '<', LTE: '<=', GT: '>', GTE: '>=' } as const;

/** The operator of a comparison, as users write it. */
export const operatorOf = ({ name }: Extract<ExpressionNode, { type: 'Comparator' }>): string =>
  COMPARATORS[name];

const IDENTIFIER = /^[A-Za-z_]\w*$/;

/** A field's name as an expression spells it, in double quotes where it is no identifier. */
export const spelledName = (name: string): string => (IDENTIFIER.test(name) ? name : JSON.stringify(name));

const spelledLiteral = (value: unknown): string =>
  typeof value === 'string'
    ? `'${value.replace(/['\\]/g, '\\$&')}'`
    : `\`${JSON.stringify(value).replaceAll('`', '\\`')}\``;

type Change = (node: ExpressionNode) => ExpressionNode;

/** The same node with each of its children changed. */
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
      return { ...node, left: change(node.left), right: change(node.right) };
    case 'FilterProjection':
      return {
        ...node,
        left: change(node.left),
        right: change(node.right),
        condition: change(node.condition),
      };
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
      return node;
    case 'Root':
    case 'Variable':
    case 'Unary':
    case 'LetExpression':
    case 'Binding':
    case 'Ternary':
      // Not JMESPath: none of them passes the check of the inputs.
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

// How strongly an operator binds its sides; what is not listed binds most.
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

/** What follows a path: a bracket as it is, anything else after a dot. */
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

/** An expression as a user would write it; not always as it was written. */
export function spelled(node: ExpressionNode): string {
  switch (node.type) {
    case 'Field':
    case 'Literal':
    case 'Index':
    case 'Slice':
      return spelledLeaf(node);
    case 'Subexpression':
      return spelledAfter(spelledWithin(node.left, 5), node.right);
    case 'IndexExpression':
      return `${spelledWithin(node.left, 5)}${spelled(node.right)}`;
    case 'Flatten':
      return `${spelledWithin(node.child, 5)}[]`;
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
    case 'NotExpression':
      return `!${spelledWithin(node.child, 6)}`;
    case 'ExpressionReference':
      return `&${spelled(node.child)}`;
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
    case 'Arithmetic':
    case 'LetExpression':
    case 'Binding':
    case 'Ternary':
      return '';
    default:
      return node satisfies never;
  }
}
