import type { FunctionReference } from '../lambda/invocation.ts';
import { type Problems, quote } from './problems.ts';

// Patterns and limits: the Invoke API's model, members FunctionName and Qualifier.
const FUNCTION_NAME =
  /^(?:arn:(?<partition>aws[a-zA-Z-]*):lambda:)?(?:(?<region>(?:eusc-)?[a-z]{2}(?:-gov|-iso[a-z]?)?-[a-z]+-\d):)?(?:(?<accountId>\d{12}):)?(?:function:)?(?<name>[a-zA-Z0-9-_.]+)(?::(?<qualifier>\$LATEST(?:\.PUBLISHED)?|[a-zA-Z0-9-_]+))?$/;
const QUALIFIER = /^(?:\$LATEST(?:\.PUBLISHED)?|[a-zA-Z0-9-_$]+)$/;
const REGION = /^(?:eusc-)?[a-z]{2}(?:-gov|-iso[a-z]?)?-[a-z]+-\d$/;
const LONGEST_REFERENCE = 256;
const LONGEST_NAME = 64;

/** Whether a text is a version, an alias or $LATEST. */
export const isQualifier = (text: string): boolean => QUALIFIER.test(text);

/** Whether a text is the code of an AWS region. */
export const isRegion = (text: string): boolean => REGION.test(text);

const FORMS =
  'Give a name (my-function), a qualified name (my-function:PROD), an ARN (arn:aws:lambda:eu-west-1:123456789012:function:my-function) or a partial ARN (123456789012:function:my-function)';

function explain(text: string): string {
  if (/\s/.test(text)) return 'it has white space in it; several functions stand one a line';
  if (/^https?:/i.test(text)) return 'that is a URL';
  if (/^arn:/.test(text) && !/^arn:aws[a-zA-Z-]*:lambda:/.test(text)) return 'that ARN is not one of Lambda';
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
  const parts = FUNCTION_NAME.exec(text)?.groups;
  const isArnWithoutRegion = text.startsWith('arn:') && !(parts?.['region'] && parts['accountId']);
  if (!parts?.['name'] || isArnWithoutRegion) {
    problems.add(`function_name is not valid: ${explain(text)}; got ${quote(text)}. ${FORMS}.`);
    return undefined;
  }
  const { name, qualifier, region, accountId, partition } = parts;
  if (text.length > LONGEST_REFERENCE || name.length > LONGEST_NAME) {
    problems.add(
      `function_name is too long: a name has at most ${LONGEST_NAME} characters and an ARN ${LONGEST_REFERENCE}; got ${name.length} and ${text.length}.`,
    );
    return undefined;
  }
  return {
    name,
    ...(qualifier !== undefined && { qualifier }),
    ...(region !== undefined && { region }),
    ...(accountId !== undefined && { accountId }),
    ...(partition !== undefined && { partition }),
  };
}
