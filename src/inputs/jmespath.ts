import { compile, TreeInterpreter } from '@jmespath-community/jmespath';
import type { SearchOptions } from '../outcome/expectations.ts';
import { type ExpressionNode, withSteps } from '../shared/expression-tree.ts';
import { bareCopy, type Json } from './bare-copy.ts';
import { Decoding } from './decoding.ts';
import { defineFunctions } from './jmespath-functions.ts';

// The library has one table of functions, and evaluates an expression without a pause.
let decoding = new Decoding();

/** The names of all functions that an expression can call. */
export const FUNCTION_NAMES: readonly string[] = defineFunctions({
  powertools_json: (text) => decoding.json(text),
  powertools_base64: (text) => decoding.base64(text),
  powertools_base64_gzip: (text) => decoding.base64Gzip(text),
});

/** The syntax tree of an expression. Throws where it is no JMESPath; the library takes more than that. */
export const parseTree = (expression: string): ExpressionNode => withSteps(compile(expression));

// Several expressions and parts of expressions are evaluated on one outcome, which may have megabytes.
let last: Readonly<{ document: unknown; copy: Json }> = { document: null, copy: null };

function bareCopyOf(document: unknown): Json {
  if (last.document !== document) last = { document, copy: bareCopy(document) };
  return last.copy;
}

/** Evaluates an expression on a copy of the document, whose objects have no more than their own fields. */
export function search(
  expression: string | ExpressionNode,
  document: unknown,
  { isStrict }: SearchOptions = { isStrict: false },
): Json {
  const tree = typeof expression === 'string' ? compile(expression) : expression;
  const copy = bareCopyOf(document);
  decoding = new Decoding();
  try {
    const value = TreeInterpreter.search(tree, copy);
    decoding.check({ isStrict });
    return bareCopy(value);
  } catch (error) {
    // What became of a text that cannot be decoded may be why it threw.
    decoding.check({ isStrict });
    throw error;
  }
}
