import {
  compile,
  registerFunction,
  TreeInterpreter,
  TYPE_ANY,
  TYPE_ARRAY,
  TYPE_ARRAY_NUMBER,
  TYPE_ARRAY_STRING,
  TYPE_EXPREF,
  TYPE_NUMBER,
  TYPE_OBJECT,
  TYPE_STRING,
} from '@jmespath-community/jmespath';
import type { SearchOptions } from '../outcome/expectations.ts';
import {
  COMPARISONS,
  type ExpressionNode,
  guardName,
  isNothing,
  withSteps,
} from '../shared/expression-tree.ts';
import { copyWithoutPrototypes, Decoding, type Json } from './decoding.ts';

type Call = Parameters<typeof registerFunction>[1];
type Argument = Parameters<Call>[0][number];
type Value = ReturnType<Call>;
type Types = Parameters<typeof registerFunction>[2][number]['types'];

// jmespath.org/specification.html#built-in-functions. The library has more, which the AWS CLI does not know.
const STANDARD = [
  ...[
    'abs',
    'avg',
    'ceil',
    'contains',
    'ends_with',
    'floor',
    'join',
    'keys',
    'length',
    'map',
    'max',
    'max_by',
  ],
  ...['merge', 'min', 'min_by', 'not_null', 'reverse', 'sort', 'sort_by', 'starts_with', 'sum', 'to_array'],
  ...['to_number', 'to_string', 'type', 'values'],
];

const listOf = (value: Argument | undefined): Value[] => (Array.isArray(value) ? value : []);

const isReference = (value: Argument | undefined): value is ExpressionNode =>
  typeof value === 'object' && value !== null && 'expref' in value;

type SortKey = string | number;

/** Compares numbers by value and strings by code unit, regardless of the machine's language. */
const compareKeys = (a: SortKey, b: SortKey): number => (a < b ? -1 : Number(a > b));

/** Sorts a list by the value of an expression, or by its items: all numbers, or all strings. */
function ordered(list: readonly Value[], reference?: Argument): Value[] {
  const keyOf = isReference(reference)
    ? TreeInterpreter.runtime.createKeyFunction(reference, [TYPE_NUMBER, TYPE_STRING])
    : (value: Value) => value;
  const keyed = list.map((value) => {
    const key = keyOf(value);
    return { value, key: typeof key === 'number' ? key : String(key), type: typeof key };
  });
  if (new Set(keyed.map(({ type }) => type)).size > 1) {
    throw new Error('Invalid type: numbers and strings cannot be ordered together');
  }
  return keyed.sort((a, b) => compareKeys(a.key, b.key)).map(({ value }) => value);
}

const reversed = (value: Argument | undefined): Value =>
  typeof value === 'string' ? [...value].reverse().join('') : listOf(value).toReversed();

const SURROGATE_PAIR = /[\ud800-\udbff][\udc00-\udfff]/g;

function countOf(value: Argument | undefined): number {
  if (typeof value === 'string') return value.length - (value.match(SURROGATE_PAIR)?.length ?? 0);
  return Array.isArray(value) ? value.length : Object.keys(value ?? {}).length;
}

const NUMBER = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:e[+-]?\d+)?$/i;

function numberOf(value: Argument | undefined): number | null {
  if (typeof value === 'number') return value;
  return typeof value === 'string' && NUMBER.test(value) ? Number(value) : null;
}

const LIST_OF_KEYS = [TYPE_ARRAY_STRING, TYPE_ARRAY_NUMBER];
const BY_KEY = [[TYPE_ARRAY], [TYPE_EXPREF]];

/**
 * Functions that replace the library's own. The library sorts numbers as strings, finds no greatest string key, reads
 * an empty text as the number 0, compares strings by the machine's language, and fails on lists and texts of a few 100,000.
 */
const REPLACED: readonly Readonly<{ name: string; takes: readonly Types[]; call: Call }>[] = [
  { name: 'sort', takes: [LIST_OF_KEYS], call: ([list]) => ordered(listOf(list)) },
  { name: 'sort_by', takes: BY_KEY, call: ([list, key]) => ordered(listOf(list), key) },
  { name: 'max', takes: [LIST_OF_KEYS], call: ([list]) => ordered(listOf(list)).at(-1) ?? null },
  { name: 'max_by', takes: BY_KEY, call: ([list, key]) => ordered(listOf(list), key).at(-1) ?? null },
  { name: 'min', takes: [LIST_OF_KEYS], call: ([list]) => ordered(listOf(list)).at(0) ?? null },
  { name: 'min_by', takes: BY_KEY, call: ([list, key]) => ordered(listOf(list), key).at(0) ?? null },
  { name: 'reverse', takes: [[TYPE_STRING, TYPE_ARRAY]], call: ([value]) => reversed(value) },
  { name: 'length', takes: [[TYPE_STRING, TYPE_ARRAY, TYPE_OBJECT]], call: ([value]) => countOf(value) },
  { name: 'to_number', takes: [[TYPE_ANY]], call: ([value]) => numberOf(value) },
];

function define(name: string, takes: readonly Types[], call: Call): void {
  registerFunction(
    name,
    call,
    takes.map((types) => ({ types })),
    { override: true },
  );
}

const literal = (value: unknown): ExpressionNode => ({
  type: 'Literal',
  value: copyWithoutPrototypes(value),
});

/** Defines the comparisons of guarded expressions. They fail if both sides are nothing. */
function defineGuards(): void {
  for (const name of COMPARISONS) {
    define(guardName(name), [[TYPE_ANY], [TYPE_ANY], [TYPE_STRING]], ([left, right, text]) => {
      if (isNothing(left) && isNothing(right)) throw new Error(`${String(text)} compares null with null`);
      const comparison = { type: 'Comparator', name, left: literal(left), right: literal(right) } as const;
      return copyWithoutPrototypes(TreeInterpreter.visit(comparison, null));
    });
  }
}

/**
 * Replaces the library's functions with those of standard JMESPath, and adds functions of one string. Returns all
 * names.
 */
function defineFunctions(ofText: Readonly<Record<string, (text: string) => Value>>): string[] {
  for (const { name, takes, call } of REPLACED) define(name, takes, call);
  defineGuards();
  for (const [name, call] of Object.entries(ofText)) {
    define(name, [[TYPE_STRING]], ([text]) => (typeof text === 'string' ? call(text) : null));
  }
  return [...STANDARD, ...Object.keys(ofText)];
}

// One variable is enough, because the library has one table of functions and evaluates synchronously.
let decoding = new Decoding();

/** The names of all functions that an expression can call. */
export const FUNCTION_NAMES: readonly string[] = defineFunctions({
  powertools_json: (text) => decoding.json(text),
  powertools_base64: (text) => decoding.base64(text),
  powertools_base64_gzip: (text) => decoding.base64Gzip(text),
});

/** The syntax tree of an expression. Throws if it is not valid; the library accepts more than standard JMESPath. */
export const parseTree = (expression: string): ExpressionNode => withSteps(compile(expression));

// The last copy is kept, because many expressions are evaluated on one outcome, which may have megabytes.
let last: Readonly<{ document: unknown; copy: Json }> = { document: null, copy: null };

function copyOf(document: unknown): Json {
  if (last.document !== document) last = { document, copy: copyWithoutPrototypes(document) };
  return last.copy;
}

/** Evaluates an expression on a copy of the document whose objects have no prototype. */
export function search(
  expression: string | ExpressionNode,
  document: unknown,
  { isStrict }: SearchOptions = { isStrict: false },
): Json {
  const tree = typeof expression === 'string' ? compile(expression) : expression;
  const copy = copyOf(document);
  decoding = new Decoding();
  try {
    const value = TreeInterpreter.search(tree, copy);
    decoding.check({ isStrict });
    return copyWithoutPrototypes(value);
  } catch (error) {
    // A text that could not be decoded may be the reason for the error.
    decoding.check({ isStrict });
    throw error;
  }
}
