import type { LambdaClient } from '@aws-sdk/client-lambda';
import { VERSION } from '../shared/version.ts';

// What a token may not have (RFC 9110, section 5.6.2); an application's id is the user's own.
const NO_TOKEN = /[^\w!$%&'*+.^`|~-]/g;

const token = (text: string): string => text.replace(NO_TOKEN, '-');

/** A name and a version, as CloudTrail shows them: `aws-sdk-js/3.0.0`, `api/lambda#3.0.0`. */
function product([name, version]: readonly [string, string?]): string {
  const parts = name.split('/').map(token);
  const named = parts[0] === 'api' ? parts.join('/').toLowerCase() : parts.join('/');
  return version === undefined ? named : `${named}${parts.length > 1 ? '#' : '/'}${token(version)}`;
}

/** What a client says of itself: the SDK, its surroundings, the user's AWS_SDK_UA_APP_ID, and the action. */
export async function userAgentOf({ config }: LambdaClient): Promise<string> {
  const application = await config.userAgentAppId();
  const products = [
    ...(await config.defaultUserAgentProvider()),
    ...(application ? [['app', application] as const] : []),
    ['aws-lambda-invoke-action', VERSION] as const,
  ];
  return products.map(product).join(' ');
}
