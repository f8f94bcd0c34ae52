import {
  functionArnsIn,
  type Principal,
  parsePrincipal,
  policyArnIn,
  qualifiedArn,
} from '../../shared/arn.ts';
import type { Outcome } from '../outcome.ts';

/**
 * The kinds of policy, and how AWS's messages name them (IAM User Guide, "Troubleshoot access denied error messages").
 */
export const POLICIES = [
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

/** Why a dry run was refused; `other` if the permission was not checked. */
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

/**
 * Whether a function can be invoked, and the reason where it can't. Values from AWS's message match the patterns of
 * ARNs.
 */
export type Permission = Readonly<{
  functionName: string;
  qualifier?: string;
  region?: string;
  isAllowed: boolean;
  refusal?: Refusal;
  /** The kind of the policy with an explicit deny or a limit, if the message names it. */
  denyingPolicy?: PolicyKind;
  /** The ARN of the policy with the deny, if AWS names it. */
  policyArn?: string;
  /** The function's ARN, only if it names the function of the dry run. */
  resourceArn?: string;
  callerArn?: string;
  /** The name of the error, for `other`. */
  errorName?: string;
}>;

/** The role or user whose credentials were used: ARN without a session, name without the account. */
export type Caller = Readonly<{ arn: string; name: string; kind: 'role' | 'user' }>;

/** The function of a dry run. */
type Target = Pick<Outcome, 'function_name' | 'qualifier' | 'region'>;
type RefusedTarget = Target & Readonly<{ error: Readonly<{ name: string; message: string }> }>;

/** What a message says about a refusal. */
export type Denial = Pick<Permission, 'denyingPolicy' | 'policyArn'> & Readonly<{ refusal: Refusal }>;

// No message of AWS is longer. Only this much of any message is read.
const LONGEST_MESSAGE = 4_096;

/** The part of a message that is read. */
export const startOfMessage = (message: string): string => message.slice(0, LONGEST_MESSAGE);

const OTHER_ACTION = /not authorized to perform:? (?!lambda:InvokeFunction\b)/i;
const REASON =
  /\b(?<how>because no|explicit deny in an?) (?<policy>[A-Za-z][A-Za-z -]{0,40}?(?:policy|boundary))\b/;
const EXPLICIT_DENY = /\bexplicit deny\b/;

/** Reads in a message of AWS which policy denied an action. */
export function readDenial(message: string): Denial {
  const text = startOfMessage(message);
  const { how, policy } = REASON.exec(text)?.groups ?? {};
  const kind = POLICIES.find(({ wording }) => wording === policy)?.kind;
  const policyArn = policyArnIn(text);
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

function accessDenied(message: string): Denial {
  // Another action is, for example, kms:Decrypt, or sts:AssumeRole when credentials are fetched.
  return OTHER_ACTION.test(message) ? { refusal: 'other' } : readDenial(message);
}

/** Reads a "not found" message. Lambda names the function with its qualifier if either can be missing. */
function notFound(message: string, { qualifier }: Target): Denial {
  if (message.includes('are not reachable in this region')) return { refusal: 'wrong_region' };
  const [named] = functionArnsIn(message);
  const withQualifier = named === undefined ? qualifier !== undefined : named.qualifier !== undefined;
  return { refusal: withQualifier ? 'qualifier_not_found' : 'function_not_found' };
}

/** The denial for the name of an error, or a function that reads its message. Any other name is `other`. */
const BY_ERROR_NAME: Readonly<Record<string, Denial | ((message: string, target: Target) => Denial)>> = {
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

function refusalIn(message: string, refused: RefusedTarget): Denial {
  const { name } = refused.error;
  const known = Object.hasOwn(BY_ERROR_NAME, name) ? BY_ERROR_NAME[name] : undefined;
  if (known === undefined) return { refusal: 'other' };
  return typeof known === 'function' ? known(message, refused) : known;
}

/** The function's ARN in a message, if it names the function of the dry run. */
function resourceIn(message: string, { function_name: name, qualifier, region }: Target): string | undefined {
  const found = functionArnsIn(message).find(
    (arn) =>
      arn.name === name &&
      (region === undefined || arn.region === region) &&
      (arn.qualifier === undefined || arn.qualifier === qualifier),
  );
  return found && qualifiedArn(found);
}

function callerIn(message: string): string | undefined {
  const arn = /\bUser: (?<arn>arn:\S{1,2048}) is not authorized/.exec(message)?.groups?.['arn'];
  return arn !== undefined && parsePrincipal(arn) !== undefined ? arn : undefined;
}

function readRefusal(refused: RefusedTarget) {
  const message = startOfMessage(refused.error.message);
  const denial = refusalIn(message, refused);
  if (denial.refusal === 'other') return { ...denial, errorName: refused.error.name };
  const resourceArn = resourceIn(message, refused);
  const callerArn = callerIn(message);
  return {
    ...denial,
    ...(resourceArn !== undefined && { resourceArn }),
    ...(callerArn !== undefined && { callerArn }),
  };
}

/** Reads whether a function can be invoked from the outcome of a dry run. Any response means that it can. */
export function readPermission(outcome: Target | RefusedTarget): Permission {
  const { function_name: functionName, qualifier, region } = outcome;
  return {
    functionName,
    ...(qualifier !== undefined && { qualifier }),
    ...(region !== undefined && { region }),
    isAllowed: !('error' in outcome),
    ...('error' in outcome && readRefusal(outcome)),
  };
}

/** The role or user in a refusal, with the parts of its ARN. */
export const principalOf = ({ callerArn }: Permission): Principal | undefined =>
  callerArn === undefined ? undefined : parsePrincipal(callerArn);

/** The caller, if all messages name the same one. A dry run that is allowed does not name the caller. */
export function callerOf(permissions: readonly Permission[]): Caller | undefined {
  const [first, ...rest] = permissions.map(principalOf).filter((principal) => principal !== undefined);
  if (first === undefined || rest.some(({ arn }) => arn !== first.arn)) return undefined;
  const { arn, name, kind } = first;
  return { arn, name, kind };
}
