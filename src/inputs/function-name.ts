import type { FunctionReference } from '../lambda/invocation.ts';
import { isLambdaArn, splitFunctionName } from '../shared/arn.ts';
import { type Problems, quote } from './problems.ts';

const LONGEST_REFERENCE = 256;
const LONGEST_NAME = 64;

const FORMS =
  'Give a name (my-function), a qualified name (my-function:PROD), an ARN (arn:aws:lambda:eu-west-1:123456789012:function:my-function) or a partial ARN (123456789012:function:my-function)';

function explain(text: string): string {
  if (/\s/.test(text)) return 'it has white space in it; several functions stand one a line';
  if (/^https?:/i.test(text)) return 'that is a URL';
  if (/^arn:/.test(text) && !isLambdaArn(text)) return 'that ARN is not one of Lambda';
  if (/^arn:/.test(text) && !/:function:/.test(text)) return 'that ARN is not one of a function';
  if (/^arn:/.test(text)) return 'that ARN is not complete or has a wrong part';
  return 'it is neither a name nor an ARN';
}

/** Splits `function_name` into its parts, which the Invoke API takes unsplit. */
export function parseFunctionName(text: string, problems: Problems): FunctionReference | undefined {
  if (text === '') {
    problems.add(`function_name is required. ${FORMS}.`);
    return undefined;
  }
  const reference = splitFunctionName(text);
  if (reference === undefined) {
    problems.add(`function_name is not valid: ${explain(text)}; got ${quote(text)}. ${FORMS}.`);
    return undefined;
  }
  const { name } = reference;
  if (text.length > LONGEST_REFERENCE || name.length > LONGEST_NAME) {
    problems.add(
      `function_name is too long: a name has at most ${LONGEST_NAME} characters and an ARN ${LONGEST_REFERENCE}; got ${name.length} and ${text.length}.`,
    );
    return undefined;
  }
  return reference;
}
