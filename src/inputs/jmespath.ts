import { search as evaluate } from '@aws-lambda-powertools/jmespath';
import { PowertoolsFunctions } from '@aws-lambda-powertools/jmespath/functions';
import type { SearchOptions } from '../outcome/expectations.ts';
import { isFields } from '../shared/fields.ts';
import { bareCopy } from './bare-copy.ts';
import { Decoding } from './decoding.ts';

const takesText = PowertoolsFunctions.signature({ argumentsSpecs: [['string']] });

/** The library's functions, with ours in place of those that decode. */
function functionsWith(decoding: Decoding): PowertoolsFunctions {
  const functions = new PowertoolsFunctions();
  const own = {
    funcPowertoolsJson: (text: string) => decoding.json(text),
    funcPowertoolsBase64: (text: string) => decoding.base64(text),
    funcPowertoolsBase64Gzip: (text: string) => decoding.base64Gzip(text),
  };
  for (const [name, value] of Object.entries(own)) {
    const descriptor: PropertyDescriptor = { value };
    takesText(functions, name, descriptor);
    Object.defineProperty(functions, name, descriptor);
  }
  return functions;
}

/** Evaluates an expression on a copy of the document, since some of the library's functions change their argument. */
export function search(
  expression: string,
  document: unknown,
  { isStrict }: SearchOptions = { isStrict: false },
): unknown {
  const copy = bareCopy(document);
  const decoding = new Decoding();
  const customFunctions = functionsWith(decoding);
  try {
    const value = evaluate(expression, isFields(copy) ? copy : {}, { customFunctions });
    decoding.check({ isStrict });
    return bareCopy(value);
  } catch (error) {
    // What the library makes of a text that can't be decoded may be why it threw.
    decoding.check({ isStrict });
    throw error;
  }
}

const snakeCase = (method: string): string =>
  method
    .replace(/^func/, '')
    .replace(/(?<!^)([A-Z])/g, '_$1')
    .toLowerCase();

/** The names of all functions that an expression can call. */
export function functionNames(): string[] {
  const functions = new PowertoolsFunctions();
  functions.introspectMethods();
  return [...functions.methods].map(snakeCase);
}
