import { type BlockingPolicy, type FixNote, fixOf, INVOKE_ACTION } from './fix.ts';
import { type Permission, POLICIES, type PolicyKind, readDenial } from './reading.ts';

const SHOWN_POLICIES = 20;

/** Where to find each kind of policy. */
const WHERE_TO_LOOK: Readonly<Record<PolicyKind, string>> = {
  identity:
    "In IAM, check the policies of the role or user (inline, customer managed and AWS managed), and those of a user's groups.",
  resource: "Check the function's own policy: `aws lambda get-policy`, with the qualifier that was used.",
  'service control':
    "In AWS Organizations, check the service control policies of the caller's account, its organizational units and the root.",
  'resource control':
    "In AWS Organizations, check the resource control policies of the function's account, its organizational units and the root.",
  'permissions boundary': 'In IAM, check the permissions boundary of the role or user.',
  session:
    'Check the step that assumes the role: `inline-session-policy` and `managed-session-policies` of aws-actions/configure-aws-credentials.',
  'VPC endpoint': "Check the policy of the VPC endpoint for Lambda in the runner's network.",
};
const WHERE_ELSE =
  "AWS does not say which kind of policy. Look for `Deny` in the caller's policies, its permissions boundary, the function's policy and AWS Organizations.";

/** Why an Allow elsewhere does not help against a policy that blocks an action. */
const BLOCKED: Readonly<Record<BlockingPolicy['kind'], (policy: string, action: string) => string>> = {
  explicit_deny: (policy) =>
    `${policy} explicitly denies it. An Allow cannot override a Deny: change the Deny.`,
  no_limiting_policy: (policy, action) =>
    `${policy} does not allow it. This kind of policy limits what other policies can allow. Allow \`${action}\` in it too.`,
};

/** The text of a note on a missing Allow, or on the statement. */
const NOTES: Readonly<Record<Exclude<FixNote['kind'], BlockingPolicy['kind']>, string>> = {
  another_account:
    "the function is in another account. Both accounts have to allow it: the caller's with the statement, and the function's with a permission that its owner adds.",
  latest_in_another_account:
    'Lambda accepts no permission for `$LATEST`, so the command leaves the qualifier out. Leave it out of the step too.',
  path_of_role:
    "if the role has a path, add it to the principal (`role/PATH/NAME`): AWS's message leaves it out.",
  statement_is_enough:
    'AWS reports that no resource-based policy allows it. Within one account the statement for the caller is enough.',
  assumed_function_arn:
    "AWS does not name the function's ARN. The statement uses the caller's account and the step's region.",
  unknown_function_arn: `AWS does not name the function's ARN. Allow \`${INVOKE_ACTION}\` on it, and with a qualifier on both ARNs, with and without it. If that is allowed already, check the VPC endpoint policy, the permissions boundary and AWS Organizations.`,
  statement_too_long:
    'The statement is too long for one managed policy (6,144 characters): split its resources.',
};

/** The name of a kind of policy in AWS's words, with its article. */
export function policyInWords(kind: PolicyKind | undefined): string {
  const wording = POLICIES.find((policy) => policy.kind === kind)?.wording ?? 'policy';
  return `${wording.startsWith('i') ? 'an' : 'a'} ${wording}`;
}

function blockedInWords({ kind, policy, policyArns }: BlockingPolicy, action: string): string {
  const where = policy === undefined ? WHERE_ELSE : WHERE_TO_LOOK[policy];
  const named = policyArns.slice(0, SHOWN_POLICIES).map((arn) => `\`${arn}\``);
  const arns = named.length === 0 ? '' : ` AWS names ${named.join(', ')}.`;
  return `${BLOCKED[kind](policyInWords(policy), action)} ${where}${arns}`;
}

/** The text of a note in Markdown, to follow the names of its functions. */
export const noteInWords = (note: FixNote): string =>
  'policy' in note ? blockedInWords(note, INVOKE_ACTION) : NOTES[note.kind];

/** A note without Markdown, as a sentence. */
function asSentences(note: string): string {
  const text = note.replaceAll('`', '');
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}`;
}

/** Advice if a policy blocks an action other than the invocation; undefined if an Allow can help. */
export function adviseOnBlockedAction(message: string, action: string): string | undefined {
  const { refusal, denyingPolicy: policy } = readDenial(message);
  if (refusal !== 'explicit_deny' && refusal !== 'no_limiting_policy') return undefined;
  return asSentences(blockedInWords({ kind: refusal, policy, policyArns: [] }, action));
}

/** The fix for one refusal as lines of plain text; empty if no fix is known. */
export function fixInText(permission: Permission): string {
  const { statement, notes, commands } = fixOf([permission]);
  return [
    ...(statement === undefined
      ? []
      : ["Add this statement to the caller's policy:", JSON.stringify(JSON.parse(statement))]),
    ...notes.map((note) => asSentences(noteInWords(note))),
    ...(commands.length === 0 ? [] : ['The owner of the function runs:', ...commands]),
  ].join('\n');
}
