import type { FunctionReference } from '../lambda/invocation.ts';
import { splitFunctionName } from '../shared/arn.ts';
import { type Problems, quote } from './problems.ts';
import { explainFunctionName, explainOtherResource } from './suggestions.ts';

const LONGEST_REFERENCE = 256;
const LONGEST_NAME = 64;

const FORMS =
  'Give a name (my-function), a qualified name (my-function:PROD), an ARN (arn:aws:lambda:eu-west-1:123456789012:function:my-function) or a partial ARN (123456789012:function:my-function)';

/** Splits `function_name` into its parts, which the Invoke API takes unsplit. */
export function parseFunctionName(text: string, problems: Problems): FunctionReference | undefined {
  if (text === '') {
    problems.add(`function_name is required. ${FORMS}.`);
    return undefined;
  }
  const reference = splitFunctionName(text);
  if (reference === undefined || explainOtherResource(text) !== undefined) {
    const why = explainFunctionName(text) ?? 'it is neither a name nor an ARN';
    problems.add(`function_name is not valid: ${why}; got ${quote(text)}. ${FORMS}.`);
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
