/** The pattern for FunctionName in the service's model, as quoted in its error messages. */
export const FUNCTION_NAME_PATTERN =
  '(arn:(aws[a-zA-Z-]*)?:lambda:)?((eusc-)?[a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\\d{1}:)?(\\d{12}:)?(function:)?([a-zA-Z0-9-_\\.]+)(:(\\$LATEST(\\.PUBLISHED)?|[a-zA-Z0-9-_]+))?';

// Capture groups: region, account, name, qualifier.
const PARTS =
  /^(?:arn:(?:aws[a-zA-Z-]*)?:lambda:)?((?:eusc-)?[a-z]{2}(?:-gov|-iso[a-z]?)?-[a-z]+-\d:)?(\d{12}:)?(?:function:)?([a-zA-Z0-9-_.]+)(?::(\$LATEST(?:\.PUBLISHED)?|[a-zA-Z0-9-_]+))?$/;

/** The parts of a FunctionName: a name, and optionally a qualifier, an account and a region. */
export type FunctionReference = Readonly<{
  name: string;
  qualifier: string | undefined;
  accountId: string | undefined;
  region: string | undefined;
}>;

/** Reads a name, an ARN or a partial ARN. Undefined if it does not match the pattern. */
export function parseFunctionName(text: string): FunctionReference | undefined {
  const match = PARTS.exec(text);
  const name = match?.[3];
  if (match === null || name === undefined) return undefined;
  const withoutColon = (part: string | undefined) => part?.slice(0, -1);
  return {
    name,
    qualifier: match[4],
    accountId: withoutColon(match[2]),
    region: withoutColon(match[1]),
  };
}

const PARTITIONS = [
  ['cn-', 'aws-cn'],
  ['us-gov-', 'aws-us-gov'],
  ['us-isob-', 'aws-iso-b'],
  ['us-isof-', 'aws-iso-f'],
  ['eu-isoe-', 'aws-iso-e'],
  ['us-iso-', 'aws-iso'],
  ['eusc-', 'aws-eusc'],
] as const;

/** The partition of a region: the second part of its ARNs. */
export function partitionOf(region: string): string {
  return PARTITIONS.find(([prefix]) => region.startsWith(prefix))?.[1] ?? 'aws';
}

/** The ARN of a function, with the qualifier if there is one. */
export function functionArn(options: {
  region: string;
  accountId: string;
  name: string;
  qualifier?: string | undefined;
}): string {
  const { region, accountId, name, qualifier } = options;
  const suffix = qualifier === undefined ? '' : `:${qualifier}`;
  return `arn:${partitionOf(region)}:lambda:${region}:${accountId}:function:${name}${suffix}`;
}
