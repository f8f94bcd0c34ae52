import type { FunctionReference } from '../lambda/invocation.ts';
import { type Problems, quote } from './problems.ts';
import {
  explainFunctionName,
  explainOtherResource,
  explainQualifier,
  explainRegion,
  inParentheses,
} from './suggestions.ts';

// Patterns and limits: the Invoke API's model, members FunctionName and Qualifier.
const FUNCTION_NAME =
  /^(?:arn:(?<partition>aws[a-zA-Z-]*):lambda:)?(?:(?<region>(?:eusc-)?[a-z]{2}(?:-gov|-iso[a-z]?)?-[a-z]+-\d):)?(?:(?<accountId>\d{12}):)?(?:function:)?(?<name>[a-zA-Z0-9-_.]+)(?::(?<qualifier>\$LATEST(?:\.PUBLISHED)?|[a-zA-Z0-9-_]+))?$/;
const QUALIFIER = /^(?:\$LATEST(?:\.PUBLISHED)?|[a-zA-Z0-9-_$]+)$/;
const REGION = /^(?:eusc-)?[a-z]{2}(?:-gov|-iso[a-z]?)?-[a-z]+-\d$/;
const TENANT_ID = /^[a-zA-Z0-9._:/=+\-@ ]+$/;
const EXECUTION_NAME = /^[a-zA-Z0-9-_]+$/;
const LONGEST_REFERENCE = 256;
const LONGEST_NAME = 64;
const LONGEST_QUALIFIER = 128;
const LONGEST_TENANT_ID = 256;
const LONGEST_EXECUTION_NAME = 64;

const FORMS =
  'Give a name (my-function), a qualified name (my-function:PROD), an ARN (arn:aws:lambda:eu-west-1:123456789012:function:my-function) or a partial ARN (123456789012:function:my-function)';

/** Splits `function_name` into its parts, which the Invoke API takes unsplit. */
export function parseFunctionName(text: string, problems: Problems): FunctionReference | undefined {
  if (text === '') {
    problems.add(`function_name is required. ${FORMS}.`);
    return undefined;
  }
  const parts = FUNCTION_NAME.exec(text)?.groups;
  const isArnWithoutRegion = text.startsWith('arn:') && !(parts?.['region'] && parts['accountId']);
  if (!parts?.['name'] || isArnWithoutRegion || explainOtherResource(text) !== undefined) {
    const why = explainFunctionName(text) ?? 'it is neither a name nor an ARN';
    problems.add(`function_name is not valid: ${why}; got ${quote(text)}. ${FORMS}.`);
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

/** Checks `qualifier`, also against the one in `function_name`. */
export function parseQualifier(
  text: string,
  reference: FunctionReference | undefined,
  problems: Problems,
): string | undefined {
  if (text === '') return undefined;
  if (text.length > LONGEST_QUALIFIER || !QUALIFIER.test(text)) {
    problems.add(
      `qualifier must be a version (7), an alias (PROD) or $LATEST: letters, digits, - and _, at most ${LONGEST_QUALIFIER}; got ${quote(text)}${inParentheses(explainQualifier(text))}.`,
    );
    return undefined;
  }
  if (reference?.qualifier !== undefined && reference.qualifier !== text) {
    problems.add(
      `qualifier is ${quote(text)}, but function_name already says ${quote(reference.qualifier)}. Remove one of them.`,
    );
  }
  return text;
}

/** Checks `region`, also against the one in `function_name`, which counts where `region` is not given. */
export function parseRegion(
  text: string,
  reference: FunctionReference | undefined,
  problems: Problems,
): string | undefined {
  if (text === '') return reference?.region;
  if (!REGION.test(text)) {
    problems.add(
      `region must be the code of an AWS region, for example eu-west-1; got ${quote(text)}${inParentheses(explainRegion(text))}.`,
    );
    return undefined;
  }
  if (reference?.region !== undefined && reference.region !== text) {
    problems.add(
      `region is ${quote(text)}, but the ARN in function_name is of ${quote(reference.region)}. Leave region out: the ARN's own is used.`,
    );
  }
  return text;
}

/** Checks `tenant_id` against the Invoke API's pattern. */
export function parseTenantId(text: string, problems: Problems): string | undefined {
  if (text === '') return undefined;
  if (text.length > LONGEST_TENANT_ID || !TENANT_ID.test(text)) {
    problems.add(
      `tenant_id must be 1 to ${LONGEST_TENANT_ID} letters, digits, spaces or . _ : / = + - @; got ${quote(text)}.`,
    );
    return undefined;
  }
  return text;
}

/** Checks `durable_execution_name` against the Invoke API's pattern. */
export function parseExecutionName(text: string, problems: Problems): string | undefined {
  if (text === '') return undefined;
  if (text.length > LONGEST_EXECUTION_NAME || !EXECUTION_NAME.test(text)) {
    problems.add(
      `durable_execution_name must be 1 to ${LONGEST_EXECUTION_NAME} letters, digits, - or _; got ${quote(text)}.`,
    );
    return undefined;
  }
  return text;
}
