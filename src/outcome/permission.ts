import type { Outcome } from './outcome.ts';

// The kinds of policy in the words of AWS's messages (IAM User Guide, "Troubleshoot access denied error messages").
const POLICIES = [
  { wording: 'identity-based policy', kind: 'identity' },
  { wording: 'resource-based policy', kind: 'resource' },
  { wording: 'service control policy', kind: 'service control' },
  { wording: 'resource control policy', kind: 'resource control' },
  { wording: 'permissions boundary', kind: 'permissions boundary' },
  { wording: 'session policy', kind: 'session' },
  { wording: 'VPC endpoint policy', kind: 'VPC endpoint' },
] as const;

/** The kinds of policy that can deny an invocation, as AWS's messages name them. */
export type PolicyKind = (typeof POLICIES)[number]['kind'];

/** Why a dry run was refused; `other` is a dry run whose question was not answered. */
export type Refusal =
  | 'no_identity_policy'
  | 'no_resource_policy'
  /** A policy that only limits (boundary, session, SCP, endpoint) does not allow it. */
  | 'no_limiting_policy'
  | 'explicit_deny'
  /** Not authorized, in the older form that gives no reason. */
  | 'no_reason'
  | 'function_not_found'
  | 'qualifier_not_found'
  | 'wrong_region'
  | 'credentials_expired'
  | 'credentials_missing'
  | 'credentials_unavailable'
  | 'credentials_invalid'
  | 'other';

/** Whether a function may be invoked, and why not. Values from AWS's message match the patterns of ARNs. */
export type Permission = Readonly<{
  functionName: string;
  qualifier?: string;
  region?: string;
  may: boolean;
  refusal?: Refusal;
  /** Of an explicit deny or a limit, where the message names the kind. */
  denyingPolicy?: PolicyKind;
  /** The policy with the deny, where AWS names it. */
  policyArn?: string;
  /** The function's ARN, only where it names the function that was asked for. */
  resourceArn?: string;
  callerArn?: string;
  /** The error's name, of `other`. */
  errorName?: string;
}>;

/** Who asked: ARN of the role or user, without a session; name without the account. */
export type Caller = Readonly<{ arn: string; name: string; kind: 'role' | 'user' }>;

/** What to change. Notes are Markdown; what is in them, the statement and the commands is ours or matches a strict pattern. */
export type Fix = Readonly<{
  /** One IAM statement as JSON, to paste into the Statement list of the caller's policy. */
  statement?: string;
  notes: readonly string[];
  /** `aws lambda add-permission`, for the owner of a function in another account. */
  commands: readonly string[];
}>;

const PARTITION = '(?<partition>aws(?:-[a-z]{1,12}){0,3})';
const ACCOUNT = '(?<account>\\d{12})';
const REGION = '(?:eusc-)?[a-z]{2}(?:-gov|-iso[a-z]?)?-[a-z]{1,20}-\\d';
const NAME = '[\\w.-]{0,139}[\\w-]';
const QUALIFIER = '\\$LATEST(?:\\.PUBLISHED)?|[\\w-]{1,128}';
const IDENTITY = '[\\w+=,.@-]{1,64}';
const PATH = '(?:[\\w+=,.@-]{1,128}/){0,16}';

const FUNCTION_ARN = `arn:${PARTITION}:lambda:(?<region>${REGION}):${ACCOUNT}:function:(?<name>${NAME})(?::(?<qualifier>${QUALIFIER}))?`;
// An ARN in a sentence ends before a space, a quote, or the full stop of the sentence.
const FUNCTION_ARNS = new RegExp(`${FUNCTION_ARN}(?=\\.?(?:[\\s"',;)]|$))`, 'g');
const WHOLE_FUNCTION_ARN = new RegExp(`^${FUNCTION_ARN}$`);
const WHOLE_REGION = new RegExp(`^${REGION}$`);
const WHOLE_NAME = new RegExp(`^${NAME}$`);
const WHOLE_QUALIFIER = new RegExp(`^(?:${QUALIFIER})$`);
const POLICY_ARN =
  /\barn:aws(?:-[a-z]{1,12}){0,3}:(?:iam|organizations)::(?:\d{12}|aws):policy\/[\w+=,.@/-]{0,255}[\w+=@/-](?=[\s.,;]|$)/;

/** A function in an ARN; the base is the ARN without qualifier. */
type FunctionArn = Readonly<{
  base: string;
  partition: string;
  region: string;
  account: string;
  name: string;
  qualifier?: string;
}>;

function functionArn(
  groups: Readonly<Record<string, string | undefined>> | undefined,
): FunctionArn | undefined {
  const { partition, region, account, name, qualifier } = groups ?? {};
  if (partition === undefined || region === undefined || account === undefined || name === undefined) {
    return undefined;
  }
  const base = `arn:${partition}:lambda:${region}:${account}:function:${name}`;
  return { base, partition, region, account, name, ...(qualifier !== undefined && { qualifier }) };
}

// A root user is none of these: as a principal its ARN would mean the whole account.
const CALLERS = [
  { kind: 'role', arn: `sts::${ACCOUNT}:assumed-role/(?<name>${IDENTITY})/${IDENTITY}`, isSession: true },
  { kind: 'role', arn: `iam::${ACCOUNT}:role/${PATH}(?<name>${IDENTITY})`, isSession: false },
  { kind: 'user', arn: `iam::${ACCOUNT}:user/${PATH}(?<name>${IDENTITY})`, isSession: false },
  { kind: 'user', arn: `sts::${ACCOUNT}:federated-user/(?<name>${IDENTITY})`, isSession: false },
] as const;
const CALLER_FORMS = CALLERS.map((form) => ({
  ...form,
  pattern: new RegExp(`^arn:${PARTITION}:${form.arn}$`),
}));

/** A caller with what its ARN is made of. */
type Principal = Caller & Readonly<{ partition: string; account: string; isSession: boolean }>;

function readPrincipal(arn: string): Principal | undefined {
  for (const { kind, pattern, isSession } of CALLER_FORMS) {
    const { partition, account, name } = pattern.exec(arn)?.groups ?? {};
    if (partition !== undefined && account !== undefined && name !== undefined) {
      const own = isSession ? `arn:${partition}:iam::${account}:role/${name}` : arn;
      return { arn: own, name, kind, partition, account, isSession };
    }
  }
  return undefined;
}

/** What was asked for, and the error that came instead. */
type Asked = Pick<Outcome, 'function_name' | 'qualifier' | 'region'>;
type Refused = Asked & Readonly<{ error: Readonly<{ name: string; message: string }> }>;
type Told = Pick<Permission, 'denyingPolicy' | 'policyArn'> & Readonly<{ refusal: Refusal }>;

const ACTION = 'lambda:InvokeFunction';
const OTHER_ACTION = /not authorized to perform:? (?!lambda:InvokeFunction\b)/i;
const REASON =
  /\b(?<how>because no|explicit deny in an?) (?<policy>[A-Za-z][A-Za-z -]{0,40}?(?:policy|boundary))\b/;
const EXPLICIT_DENY = /\bexplicit deny\b/;

function deniedBy(text: string): Told {
  const { how, policy } = REASON.exec(text)?.groups ?? {};
  const kind = POLICIES.find(({ wording }) => wording === policy)?.kind;
  const policyArn = POLICY_ARN.exec(text)?.[0];
  const named = {
    ...(kind !== undefined && { denyingPolicy: kind }),
    ...(policyArn !== undefined && { policyArn }),
  };
  if (EXPLICIT_DENY.test(text)) return { refusal: 'explicit_deny', ...named };
  if (how === undefined || kind === undefined) return { refusal: 'no_reason' };
  if (kind === 'identity') return { refusal: 'no_identity_policy' };
  if (kind === 'resource') return { refusal: 'no_resource_policy' };
  return { refusal: 'no_limiting_policy', ...named };
}

function accessDenied(text: string): Told {
  // For example kms:Decrypt, or sts:AssumeRole on the way to credentials.
  return OTHER_ACTION.test(text) ? { refusal: 'other' } : deniedBy(text);
}

/** Lambda names the function with its qualifier where either may be what is missing. */
function notFound(text: string, { qualifier }: Asked): Told {
  if (text.includes('are not reachable in this region')) return { refusal: 'wrong_region' };
  const named = functionArn([...text.matchAll(FUNCTION_ARNS)][0]?.groups);
  const withQualifier = named === undefined ? qualifier !== undefined : named.qualifier !== undefined;
  return { refusal: withQualifier ? 'qualifier_not_found' : 'function_not_found' };
}

type Read = Told | ((text: string, asked: Asked) => Told);

/** What an error's name says; the rest is `other`. */
const BY_NAME: Readonly<Record<string, Read>> = {
  AccessDeniedException: accessDenied,
  AccessDenied: accessDenied,
  ResourceNotFoundException: notFound,
  ExpiredTokenException: { refusal: 'credentials_expired' },
  ExpiredToken: { refusal: 'credentials_expired' },
  CredentialsProviderError: { refusal: 'credentials_missing' },
  CredentialsUnavailable: { refusal: 'credentials_unavailable' },
  TokenProviderError: { refusal: 'credentials_missing' },
  MissingAuthenticationTokenException: { refusal: 'credentials_missing' },
  UnrecognizedClientException: { refusal: 'credentials_invalid' },
  IncompleteSignatureException: { refusal: 'credentials_invalid' },
  InvalidSignatureException: { refusal: 'credentials_invalid' },
};

// No message of AWS is as long; whatever else answered gets no more of our time.
const LONGEST_MESSAGE = 4_096;

function readRefusal(refused: Refused, text: string): Told {
  const { name } = refused.error;
  const read = Object.hasOwn(BY_NAME, name) ? BY_NAME[name] : undefined;
  if (read === undefined) return { refusal: 'other' };
  return typeof read === 'function' ? read(text, refused) : read;
}

/** The function's ARN in a message, where it is of the function that was asked for. */
function resourceIn(text: string, { function_name: name, qualifier, region }: Asked): string | undefined {
  for (const { 0: arn, groups } of text.matchAll(FUNCTION_ARNS)) {
    const named = functionArn(groups);
    const isAsked =
      named?.name === name &&
      (region === undefined || named.region === region) &&
      (named.qualifier === undefined || named.qualifier === qualifier);
    if (isAsked) return arn;
  }
  return undefined;
}

function callerIn(text: string): string | undefined {
  const arn = /\bUser: (?<arn>arn:\S{1,2048}) is not authorized/.exec(text)?.groups?.['arn'];
  return arn !== undefined && readPrincipal(arn) !== undefined ? arn : undefined;
}

function readError(refused: Refused) {
  const text = refused.error.message.slice(0, LONGEST_MESSAGE);
  const told = readRefusal(refused, text);
  if (told.refusal === 'other') return { ...told, errorName: refused.error.name };
  const resourceArn = resourceIn(text, refused);
  const callerArn = callerIn(text);
  return {
    ...told,
    ...(resourceArn !== undefined && { resourceArn }),
    ...(callerArn !== undefined && { callerArn }),
  };
}

/** Reads from an invocation's outcome, or its error, whether its function may be invoked; any answer is a yes. */
export function readPermission(outcome: Asked | Refused): Permission {
  const { function_name: functionName, qualifier, region } = outcome;
  return {
    functionName,
    ...(qualifier !== undefined && { qualifier }),
    ...(region !== undefined && { region }),
    may: !('error' in outcome),
    ...('error' in outcome && readError(outcome)),
  };
}

const principalOf = ({ callerArn }: Permission): Principal | undefined =>
  callerArn === undefined ? undefined : readPrincipal(callerArn);

const resourceOf = ({ resourceArn }: Permission): FunctionArn | undefined =>
  resourceArn === undefined ? undefined : functionArn(WHOLE_FUNCTION_ARN.exec(resourceArn)?.groups);

/** Who asked, where AWS's messages name one and the same; a dry run that is allowed names nobody. */
export function callerOf(permissions: readonly Permission[]): Caller | undefined {
  const [first, ...rest] = permissions.map(principalOf).filter((caller) => caller !== undefined);
  if (first === undefined || rest.some(({ arn }) => arn !== first.arn)) return undefined;
  const { arn, name, kind } = first;
  return { arn, name, kind };
}

/** Whether a refused function belongs to another account than the caller. */
export function isCrossAccount(permission: Permission): boolean {
  const [owner, caller] = [resourceOf(permission)?.account, principalOf(permission)?.account];
  return owner !== undefined && caller !== undefined && owner !== caller;
}

/** The function in the message; else one of that name in the caller's own account, which is a guess. */
function targetOf(permission: Permission): FunctionArn | undefined {
  const resource = resourceOf(permission);
  if (resource !== undefined) return resource;
  const caller = principalOf(permission);
  const { functionName: name, region = '' } = permission;
  if (caller === undefined || !WHOLE_REGION.test(region) || !WHOLE_NAME.test(name)) return undefined;
  const { partition, account } = caller;
  return functionArn({ partition, region, account, name });
}

const qualifierOf = ({ qualifier }: Permission): string | undefined =>
  qualifier !== undefined && WHOLE_QUALIFIER.test(qualifier) ? qualifier : undefined;

/** With a qualifier a policy needs both: the function and its version or alias. */
function resourcesOf(permission: Permission): string[] {
  const target = targetOf(permission);
  const qualifier = qualifierOf(permission);
  if (target === undefined) return [];
  return qualifier === undefined ? [target.base] : [target.base, `${target.base}:${qualifier}`];
}

/** One IAM statement that allows actions on the function in a text, with and without qualifier. */
export function statementOn(text: string, actions: readonly string[]): string | undefined {
  const named = functionArn([...text.slice(0, LONGEST_MESSAGE).matchAll(FUNCTION_ARNS)][0]?.groups);
  return (
    named && JSON.stringify({ Effect: 'Allow', Action: actions, Resource: [named.base, `${named.base}:*`] })
  );
}

/** Refusals that an allow can lift: in the caller's policy, or across accounts in both. */
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
    : JSON.stringify({ Effect: 'Allow', Action: ACTION, Resource: resources }, null, 2);
}

const LATEST = '$LATEST';

/** The command for the function's owner. Nothing in it means anything to a shell. */
function addPermission(permission: Permission): string | undefined {
  const [target, caller] = [resourceOf(permission), principalOf(permission)];
  if (target === undefined || caller === undefined) return undefined;
  const qualifier = qualifierOf(permission);
  return [
    'aws lambda add-permission',
    `--function-name ${target.base}`,
    `--statement-id invoke-from-${caller.account}-${caller.name.replaceAll(/[^\w-]/g, '-')}`,
    `--action ${ACTION}`,
    `--principal ${caller.arn}`,
    // Lambda keeps no policy for $LATEST: the function's own one counts for it.
    ...(qualifier === undefined || qualifier.startsWith(LATEST) ? [] : [`--qualifier ${qualifier}`]),
    `--region ${target.region}`,
  ].join(' ');
}

const SHOWN_FUNCTIONS = 20;

/** Functions as code spans; their names match the pattern, so there is no backtick in them. */
function namesOf(permissions: readonly Permission[]): string {
  const names = unique(
    permissions.map((permission) => {
      const { functionName: name } = permission;
      const qualifier = qualifierOf(permission);
      if (!WHOLE_NAME.test(name)) return 'a function whose name is not valid';
      return qualifier === undefined ? `\`${name}\`` : `\`${name}:${qualifier}\``;
    }),
  );
  const more = names.length - SHOWN_FUNCTIONS;
  return `${names.slice(0, SHOWN_FUNCTIONS).join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
}

/** Where a policy of a kind is found. */
const WHERE_TO_LOOK: Readonly<Record<PolicyKind, string>> = {
  identity:
    "Look in IAM at the policies of the role or user (inline, customer managed and AWS managed), and at those of a user's groups.",
  resource: "Look at the function's own policy: `aws lambda get-policy`, with the qualifier that was used.",
  'service control':
    "Look in AWS Organizations at the service control policies of the caller's account, the units above it and the root.",
  'resource control':
    "Look in AWS Organizations at the resource control policies of the function's account, the units above it and the root.",
  'permissions boundary': 'Look in IAM at the permissions boundary of the role or user.',
  session:
    'Look at the step that assumes the role: `inline-session-policy` and `managed-session-policies` of aws-actions/configure-aws-credentials.',
  'VPC endpoint': "Look at the policy of the VPC endpoint for Lambda in the runner's network.",
};
const WHERE_ELSE =
  "AWS does not say in which kind of policy. Look for `Deny` in the caller's policies, its permissions boundary, the function's policy and AWS Organizations.";

/** A policy of a kind in a sentence, with its article, in AWS's words. */
export function policyInWords(kind: PolicyKind | undefined): string {
  const wording = POLICIES.find((policy) => policy.kind === kind)?.wording ?? 'policy';
  return `${wording.startsWith('i') ? 'an' : 'a'} ${wording}`;
}

/** The policies that AWS named, where they match the pattern. */
function policiesOf(permissions: readonly Permission[]): string {
  const arns = unique(permissions.map(({ policyArn = '' }) => POLICY_ARN.exec(policyArn)?.[0] ?? ''));
  const named = arns.filter((arn) => arn !== '').map((arn) => `\`${arn}\``);
  return named.length === 0 ? '' : ` AWS names ${named.slice(0, SHOWN_FUNCTIONS).join(', ')}.`;
}

/** What a policy that stands in the way means for an Allow elsewhere. */
const IN_THE_WAY: readonly Readonly<{
  refusal: Refusal;
  note: (policy: string, action: string) => string;
}>[] = [
  {
    refusal: 'explicit_deny',
    note: (policy) => `${policy} explicitly denies it. An Allow cannot override a Deny: change the Deny.`,
  },
  {
    refusal: 'no_limiting_policy',
    note: (policy, action) =>
      `${policy} does not allow it. Such a policy limits what all others allow: allow \`${action}\` in it too.`,
  },
];

const whereIs = (kind: PolicyKind | undefined): string =>
  kind === undefined ? WHERE_ELSE : WHERE_TO_LOOK[kind];

/** A note in Markdown, and the functions that it is about; none where it is about all. */
type Note = Readonly<{ about: readonly Permission[]; text: string }>;

function policyNotes(permissions: readonly Permission[]): Note[] {
  return IN_THE_WAY.flatMap(({ refusal, note }) => {
    const refused = permissions.filter((permission) => permission.refusal === refusal);
    return [...Map.groupBy(refused, ({ denyingPolicy }) => denyingPolicy)].map(([kind, about]) => ({
      about,
      text: `${note(policyInWords(kind), ACTION)} ${whereIs(kind)}${policiesOf(about)}`,
    }));
  });
}

/** Markdown of a note as a plain sentence. */
function plain(note: string): string {
  const text = note.replaceAll('`', '');
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}`;
}

/** Where another action than the invocation is denied: the policy that no Allow elsewhere gets past, if it is one. */
export function policyInTheWay(message: string, action: string): string | undefined {
  const { refusal, denyingPolicy } = deniedBy(message.slice(0, LONGEST_MESSAGE));
  const row = IN_THE_WAY.find((candidate) => candidate.refusal === refusal);
  if (row === undefined) return undefined;
  return plain(`${row.note(policyInWords(denyingPolicy), action)} ${whereIs(denyingPolicy)}`);
}

// Of a managed policy, white space not counted (IAM quotas); an inline policy of a role may have 10,240.
const LONGEST_POLICY = 6_144;

/** The notes on what lacks an allow: a text for each group that is not empty. */
const ALLOW_NOTES: readonly Readonly<{
  of: (permission: Permission) => boolean;
  text: string;
}>[] = [
  {
    of: isCrossAccount,
    text: "the function is in another account. Both accounts have to allow it: the caller's with the statement, and the function's with a permission that its owner adds.",
  },
  {
    of: (permission) => isCrossAccount(permission) && qualifierOf(permission)?.startsWith(LATEST) === true,
    text: `Lambda accepts no permission for \`${LATEST}\`, so the command leaves the qualifier out. Leave it out of the step too.`,
  },
  {
    of: (permission) => isCrossAccount(permission) && principalOf(permission)?.isSession === true,
    text: "if the role has a path, add it to the principal (`role/PATH/NAME`): AWS's message leaves it out.",
  },
  {
    of: (permission) =>
      permission.refusal === 'no_resource_policy' &&
      targetOf(permission) !== undefined &&
      !isCrossAccount(permission),
    text: 'AWS reports that no resource-based policy allows it. Within one account the statement for the caller is enough.',
  },
  {
    of: (permission) => resourceOf(permission) === undefined && targetOf(permission) !== undefined,
    text: "AWS does not name the function's ARN. The statement uses the caller's account and the step's region.",
  },
  {
    of: (permission) => targetOf(permission) === undefined,
    text: `AWS does not name the function's ARN. Allow \`${ACTION}\` on it, and with a qualifier on both ARNs, with and without it. If that is allowed already, check the VPC endpoint policy, the permissions boundary and AWS Organizations.`,
  },
];

const allowNotes = (lacking: readonly Permission[]): Note[] =>
  ALLOW_NOTES.flatMap(({ of, text }) => {
    const about = lacking.filter(of);
    return about.length === 0 ? [] : [{ about, text }];
  });

const lengthNotes = (statement: string): Note[] =>
  statement.replaceAll(/\s/g, '').length > LONGEST_POLICY
    ? [
        {
          about: [],
          text: 'The statement is too long for one managed policy (6,144 characters): split its resources.',
        },
      ]
    : [];

function commandsFor(lacking: readonly Permission[]): string[] {
  const commands = lacking.filter(isCrossAccount).map(addPermission);
  return unique(commands.filter((command) => command !== undefined));
}

/** What has to change so that all can be invoked: the least that the messages prove to be missing. */
export function fixOf(permissions: readonly Permission[]): Fix {
  const lacking = permissions.filter(lacksAllow);
  const statement = statementFor(lacking);
  const notes = [...allowNotes(lacking), ...lengthNotes(statement ?? ''), ...policyNotes(permissions)];
  return {
    ...(statement !== undefined && { statement }),
    notes: notes.map(({ about, text }) => (about.length === 0 ? text : `${namesOf(about)}: ${text}`)),
    commands: commandsFor(lacking),
  };
}

/** The fix of one refusal as plain text, in lines; empty where nothing is known. */
export function fixInText(permission: Permission): string {
  const lacking = [permission].filter(lacksAllow);
  const statement: unknown = JSON.parse(statementFor(lacking) ?? 'null');
  const commands = commandsFor(lacking);
  return [
    ...(statement === null ? [] : ["Add this statement to the caller's policy:", JSON.stringify(statement)]),
    ...[...allowNotes(lacking), ...policyNotes([permission])].map(({ text }) => plain(text)),
    ...(commands.length === 0 ? [] : ['The owner of the function runs:', ...commands]),
  ].join('\n');
}
