import {
  type FunctionArn,
  functionArnOf,
  functionArnsIn,
  isFunctionName,
  isQualifier,
  isRegion,
  parseFunctionArn,
  policyArnIn,
} from '../../shared/arn.ts';
import { type Permission, type PolicyKind, principalOf, type Refusal, startOfMessage } from './reading.ts';

/** The action that all types of invocation need. */
export const INVOKE_ACTION = 'lambda:InvokeFunction';
const LATEST = '$LATEST';

/** A function in a note. The name is absent if it is not valid. */
export type NotedFunction = Readonly<{ name?: string; qualifier?: string }>;

/** A policy that overrides an Allow elsewhere: it denies the action, or limits what others allow. */
export type BlockingPolicy = Readonly<{
  kind: 'explicit_deny' | 'no_limiting_policy';
  policy: PolicyKind | undefined;
  policyArns: readonly string[];
}>;

/** A note on a fix, and the functions that it is about; none if it is about the whole fix. */
export type FixNote = Readonly<{ functions: readonly NotedFunction[] }> &
  (Readonly<{ kind: AllowNoteKind | 'statement_too_long' }> | BlockingPolicy);

/** What to change. All its texts are ours or match a strict pattern. */
export type Fix = Readonly<{
  /** One IAM statement as JSON, to paste into the Statement list of the caller's policy. */
  statement?: string;
  notes: readonly FixNote[];
  /** `aws lambda add-permission`, for the owner of a function in another account. */
  commands: readonly string[];
}>;

const resourceOf = ({ resourceArn }: Permission): FunctionArn | undefined =>
  resourceArn === undefined ? undefined : parseFunctionArn(resourceArn);

/** Whether a refused function is in another account than the caller. */
export function isCrossAccount(permission: Permission): boolean {
  const [owner, caller] = [resourceOf(permission)?.account, principalOf(permission)?.account];
  return owner !== undefined && caller !== undefined && owner !== caller;
}

/** The function in the message, or else, as a guess, the function of that name in the caller's account. */
function targetOf(permission: Permission): FunctionArn | undefined {
  const resource = resourceOf(permission);
  if (resource !== undefined) return resource;
  const caller = principalOf(permission);
  const { functionName: name, region = '' } = permission;
  if (caller === undefined || !isRegion(region) || !isFunctionName(name)) return undefined;
  const { partition, account } = caller;
  return functionArnOf({ partition, region, account, name });
}

const qualifierOf = ({ qualifier }: Permission): string | undefined =>
  qualifier !== undefined && isQualifier(qualifier) ? qualifier : undefined;

function notedFunction(permission: Permission): NotedFunction {
  const { functionName: name } = permission;
  const qualifier = qualifierOf(permission);
  if (!isFunctionName(name)) return {};
  return { name, ...(qualifier !== undefined && { qualifier }) };
}

/** The resources for a policy. With a qualifier, these are the ARN of the function and that of its version or alias. */
function resourcesOf(permission: Permission): string[] {
  const target = targetOf(permission);
  const qualifier = qualifierOf(permission);
  if (target === undefined) return [];
  return qualifier === undefined ? [target.base] : [target.base, `${target.base}:${qualifier}`];
}

/** One IAM statement that allows actions on the first function in a message, with and without qualifier. */
export function statementOn(message: string, actions: readonly string[]): string | undefined {
  const [named] = functionArnsIn(startOfMessage(message));
  return (
    named && JSON.stringify({ Effect: 'Allow', Action: actions, Resource: [named.base, `${named.base}:*`] })
  );
}

/** Refusals that an Allow can fix: in the caller's policy or, for another account, in the policies of both. */
const MISSING_ALLOW: readonly (Refusal | undefined)[] = [
  'no_identity_policy',
  'no_resource_policy',
  'no_reason',
];
const lacksAllow = ({ refusal }: Permission): boolean => MISSING_ALLOW.includes(refusal);

const unique = (texts: readonly string[]): string[] => [...new Set(texts)];

function statementFor(permissions: readonly Permission[]): string | undefined {
  const resources = unique(permissions.flatMap(resourcesOf)).sort();
  return resources.length === 0
    ? undefined
    : JSON.stringify({ Effect: 'Allow', Action: INVOKE_ACTION, Resource: resources }, null, 2);
}

const isLatest = (permission: Permission): boolean => qualifierOf(permission)?.startsWith(LATEST) === true;

/** The command for the function's owner. It has no characters with a meaning for a shell. */
function addPermission(permission: Permission): string | undefined {
  const [target, caller] = [resourceOf(permission), principalOf(permission)];
  if (target === undefined || caller === undefined) return undefined;
  const qualifier = qualifierOf(permission);
  return [
    'aws lambda add-permission',
    `--function-name ${target.base}`,
    `--statement-id invoke-from-${caller.account}-${caller.name.replaceAll(/[^\w-]/g, '-')}`,
    `--action ${INVOKE_ACTION}`,
    `--principal ${caller.arn}`,
    // Lambda has no policy for $LATEST. The policy of the function itself applies.
    ...(qualifier === undefined || isLatest(permission) ? [] : [`--qualifier ${qualifier}`]),
    `--region ${target.region}`,
  ].join(' ');
}

function commandsFor(lacking: readonly Permission[]): string[] {
  const commands = lacking.filter(isCrossAccount).map(addPermission);
  return unique(commands.filter((command) => command !== undefined));
}

/** The notes on a missing Allow, and the refusals that each note is about. */
const ALLOW_NOTES = [
  { kind: 'another_account', isAbout: isCrossAccount },
  {
    kind: 'latest_in_another_account',
    isAbout: (permission: Permission) => isCrossAccount(permission) && isLatest(permission),
  },
  {
    kind: 'path_of_role',
    isAbout: (permission: Permission) =>
      isCrossAccount(permission) && principalOf(permission)?.isSession === true,
  },
  {
    kind: 'statement_is_enough',
    isAbout: (permission: Permission) =>
      permission.refusal === 'no_resource_policy' &&
      targetOf(permission) !== undefined &&
      !isCrossAccount(permission),
  },
  {
    kind: 'assumed_function_arn',
    isAbout: (permission: Permission) =>
      resourceOf(permission) === undefined && targetOf(permission) !== undefined,
  },
  {
    kind: 'unknown_function_arn',
    isAbout: (permission: Permission) => targetOf(permission) === undefined,
  },
] as const;

/** The kinds of notes on a missing Allow. */
export type AllowNoteKind = (typeof ALLOW_NOTES)[number]['kind'];

const allowNotes = (lacking: readonly Permission[]): FixNote[] =>
  ALLOW_NOTES.flatMap(({ kind, isAbout }) => {
    const functions = lacking.filter(isAbout).map(notedFunction);
    return functions.length === 0 ? [] : [{ kind, functions }];
  });

// The limit of a managed policy, without white space (IAM quotas). An inline policy of a role can have 10,240.
const LONGEST_POLICY = 6_144;

const lengthNotes = (statement: string): FixNote[] =>
  statement.replaceAll(/\s/g, '').length > LONGEST_POLICY
    ? [{ kind: 'statement_too_long', functions: [] }]
    : [];

const policyNotes = (permissions: readonly Permission[]): FixNote[] =>
  (['explicit_deny', 'no_limiting_policy'] as const).flatMap((kind) => {
    const refused = permissions.filter(({ refusal }) => refusal === kind);
    return [...Map.groupBy(refused, ({ denyingPolicy }) => denyingPolicy)].map(([policy, about]) => ({
      kind,
      policy,
      policyArns: unique(about.map(({ policyArn = '' }) => policyArnIn(policyArn) ?? '')).filter(Boolean),
      functions: about.map(notedFunction),
    }));
  });

/** The smallest change that allows all invocations, as far as the messages show what is missing. */
export function fixOf(permissions: readonly Permission[]): Fix {
  const lacking = permissions.filter(lacksAllow);
  const statement = statementFor(lacking);
  return {
    ...(statement !== undefined && { statement }),
    notes: [...allowNotes(lacking), ...lengthNotes(statement ?? ''), ...policyNotes(permissions)],
    commands: commandsFor(lacking),
  };
}
