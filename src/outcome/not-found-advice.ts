import type { Invocation } from '../lambda/invocation.ts';

/** A function, version or alias that Lambda did not find, and Lambda's message. */
export type NotFound = Readonly<{ invocation: Invocation; region: string | undefined; message: string }>;

// A message with an ARN of this form is Lambda's own; an account has twelve digits.
const ACCOUNT_IN_MESSAGE = /\barn:[a-z-]{1,30}:lambda:[a-z0-9-]{1,30}:(\d{12}):/;
// The region may come from the environment, and must not be able to break out of a shell command.
const SAFE_REGION = /^[a-z0-9-]{1,30}$/;

/** The command that lists the existing aliases, versions or functions. */
function listing({ functionName, reference, qualifier }: Invocation): string {
  const asked = qualifier ?? reference.qualifier;
  if (asked === undefined) return 'List functions: aws lambda list-functions';
  const own = reference.qualifier;
  // The name without its qualifier. An ARN is kept, because it also has the account.
  const name = own === undefined ? functionName : functionName.slice(0, -own.length - 1);
  return /^\d+$/.test(asked)
    ? `List versions: aws lambda list-versions-by-function --function-name ${name}`
    : `List aliases: aws lambda list-aliases --function-name ${name}`;
}

/** Advice on a function, version or alias that was not found: where Lambda looked, and how to list what exists. */
export function adviseOnNotFound({ invocation, region, message }: NotFound): string {
  const { name, qualifier: own, accountId } = invocation.reference;
  const qualifier = invocation.qualifier ?? own;
  const account = accountId ?? ACCOUNT_IN_MESSAGE.exec(message)?.[1];
  const known = region !== undefined && SAFE_REGION.test(region);
  const places = [
    known ? `in ${region}` : 'in the region of the job',
    account === undefined ? "the credentials' account" : `account ${account}`,
  ];
  const isLatest = /^\$?latest$/i.test(qualifier ?? '') && qualifier !== '$LATEST';
  return [
    ...(isLatest ? [`Lambda found no alias "${qualifier}". Did you mean $LATEST?`] : []),
    `Lambda looked for ${name}${qualifier === undefined ? '' : `:${qualifier}`} ${places.join(', ')}. Check the name, the qualifier, the region and the account of the credentials.`,
    `${listing(invocation)}${known ? ` --region ${region}` : ''}`,
  ].join('\n');
}
