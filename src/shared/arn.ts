// Sources: the Invoke API's model (members FunctionName and Qualifier) and IAM's reference (identifiers, quotas).
// Every part is bounded, because ARNs are also searched in messages, which can be from anyone.
const PARTITION = '(?<partition>aws(?:-[a-z]{1,12}){0,3})';
const REGION = '(?:eusc-)?[a-z]{2}(?:-gov|-iso[a-z]?)?-[a-z]{1,20}-\\d';
const ACCOUNT = '(?<account>\\d{12})';
const NAME_CHARACTER = '[\\w.-]';
// In a message, a period at the end of a name is the end of the sentence.
const NAME = `${NAME_CHARACTER}{0,139}[\\w-]`;
const QUALIFIER = '\\$LATEST(?:\\.PUBLISHED)?|[\\w-]{1,128}';
const IDENTITY = '[\\w+=,.@-]{1,64}';
const PATH = '(?:[\\w+=,.@-]{1,128}/){0,16}';

const whole = (pattern: string): RegExp => new RegExp(`^(?:${pattern})$`);

const REGION_CODE = whole(REGION);
const FUNCTION_NAME = whole(NAME);
const VERSION_OR_ALIAS = whole(QUALIFIER);
// Names that are too long match too, so that the error message can say that they are too long.
const FUNCTION_REFERENCE = whole(
  `(?:arn:${PARTITION}:lambda:)?(?:(?<region>${REGION}):)?(?:${ACCOUNT}:)?(?:function:)?(?<name>${NAME_CHARACTER}+)(?::(?<qualifier>\\$LATEST(?:\\.PUBLISHED)?|[\\w-]+))?`,
);

/** Whether a text is the code of an AWS region. */
export const isRegion = (text: string): boolean => REGION_CODE.test(text);

/** Whether a text can be the name of a function. */
export const isFunctionName = (text: string): boolean => FUNCTION_NAME.test(text);

/** Whether a text is a version, an alias or $LATEST. */
export const isQualifier = (text: string): boolean => VERSION_OR_ALIAS.test(text);

/** The parts of a function's name, partial ARN or ARN. */
export type FunctionReference = Readonly<{
  name: string;
  qualifier?: string;
  region?: string;
  accountId?: string;
  partition?: string;
}>;

/** Splits a name, a partial ARN or an ARN of any length; undefined if the text is none of them. */
export function splitFunctionName(text: string): FunctionReference | undefined {
  const { name, qualifier, region, account, partition } = FUNCTION_REFERENCE.exec(text)?.groups ?? {};
  if (name === undefined) return undefined;
  // Region and account are optional in a partial ARN, not in an ARN.
  if (text.startsWith('arn:') && (region === undefined || account === undefined)) return undefined;
  return {
    name,
    ...(qualifier !== undefined && { qualifier }),
    ...(region !== undefined && { region }),
    ...(account !== undefined && { accountId: account }),
    ...(partition !== undefined && { partition }),
  };
}

/** The ARN of a function; `base` is the ARN without its qualifier. */
export type FunctionArn = Readonly<{
  base: string;
  partition: string;
  region: string;
  account: string;
  name: string;
  qualifier?: string;
}>;

/** Builds the ARN of a function from its parts. */
export function functionArnOf(parts: Omit<FunctionArn, 'base'>): FunctionArn {
  const { partition, region, account, name } = parts;
  return { ...parts, base: `arn:${partition}:lambda:${region}:${account}:function:${name}` };
}

const FUNCTION_ARN = `arn:${PARTITION}:lambda:(?<region>${REGION}):${ACCOUNT}:function:(?<name>${NAME})(?::(?<qualifier>${QUALIFIER}))?`;
const WHOLE_FUNCTION_ARN = whole(FUNCTION_ARN);
// An ARN in a message ends before white space, a quote, a bracket, or the period of the sentence.
const FUNCTION_ARNS = new RegExp(`${FUNCTION_ARN}(?=\\.?(?:[\\s"',;)]|$))`, 'g');

function functionArnFrom(
  groups: Readonly<Record<string, string | undefined>> | undefined,
): FunctionArn | undefined {
  const { partition, region, account, name, qualifier } = groups ?? {};
  if (partition === undefined || region === undefined || account === undefined || name === undefined) {
    return undefined;
  }
  return functionArnOf({ partition, region, account, name, ...(qualifier !== undefined && { qualifier }) });
}

/** Reads a text that is exactly the ARN of a function. */
export const parseFunctionArn = (text: string): FunctionArn | undefined =>
  functionArnFrom(WHOLE_FUNCTION_ARN.exec(text)?.groups);

/** The ARNs of functions in a message, in order. */
export const functionArnsIn = (message: string): FunctionArn[] =>
  [...message.matchAll(FUNCTION_ARNS)]
    .map(({ groups }) => functionArnFrom(groups))
    .filter((arn) => arn !== undefined);

/** The ARN with its qualifier, if it has one. */
export const qualifiedArn = ({ base, qualifier }: FunctionArn): string =>
  qualifier === undefined ? base : `${base}:${qualifier}`;

const SCHEMA_ARN = new RegExp(
  `\\barn:${PARTITION}:schemas:${REGION}:${ACCOUNT}:schema/[\\w.-]{1,64}/[\\w.-]{0,384}[\\w-]`,
);

/** The first ARN of an EventBridge schema in a message. */
export const schemaArnIn = (message: string): string | undefined => SCHEMA_ARN.exec(message)?.[0];

// The name of an execution and Lambda's own ID for it follow the version that runs it.
const EXECUTION_ARN = whole(
  `arn:${PARTITION}:lambda:${REGION}:${ACCOUNT}:function:[\\w-]+:(?:\\$LATEST(?:\\.PUBLISHED)?|\\d+)/durable-execution/[\\w-]+/[\\w-]+`,
);

/** Whether a text is the ARN of a durable execution. Only `$LATEST` in it has a meaning for a shell. */
export const isExecutionArn = (text: string): boolean => EXECUTION_ARN.test(text);

/** A role or user in an ARN: `arn` is the principal's own, without the session that a role was assumed in. */
export type Principal = Readonly<{
  kind: 'role' | 'user';
  arn: string;
  name: string;
  partition: string;
  account: string;
  isSession: boolean;
}>;

// A root user is not included, because its ARN as a principal means the whole account.
const PRINCIPALS = (
  [
    { kind: 'role', arn: `sts::${ACCOUNT}:assumed-role/(?<name>${IDENTITY})/${IDENTITY}`, isSession: true },
    { kind: 'role', arn: `iam::${ACCOUNT}:role/${PATH}(?<name>${IDENTITY})`, isSession: false },
    { kind: 'user', arn: `iam::${ACCOUNT}:user/${PATH}(?<name>${IDENTITY})`, isSession: false },
    { kind: 'user', arn: `sts::${ACCOUNT}:federated-user/(?<name>${IDENTITY})`, isSession: false },
  ] as const
).map((form) => ({ ...form, pattern: whole(`arn:${PARTITION}:${form.arn}`) }));

/** Reads a text that is exactly the ARN of a role, a role's session or a user. */
export function parsePrincipal(text: string): Principal | undefined {
  for (const { kind, pattern, isSession } of PRINCIPALS) {
    const { partition, account, name } = pattern.exec(text)?.groups ?? {};
    if (partition !== undefined && account !== undefined && name !== undefined) {
      const arn = isSession ? `arn:${partition}:iam::${account}:role/${name}` : text;
      return { kind, arn, name, partition, account, isSession };
    }
  }
  return undefined;
}

const POLICY_ARN = new RegExp(
  `\\barn:${PARTITION}:(?:iam|organizations)::(?:\\d{12}|aws):policy/[\\w+=,.@/-]{0,255}[\\w+=@/-](?=[\\s.,;]|$)`,
);

/** The first ARN of a policy in a message. */
export const policyArnIn = (message: string): string | undefined => POLICY_ARN.exec(message)?.[0];
