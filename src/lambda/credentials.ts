import type { LambdaClient } from '@aws-sdk/client-lambda';
import { isFields, messageOf } from '../shared/values.ts';
import type { AttemptProgress } from './attempt-progress.ts';
import { firstCause } from './failures.ts';

/** AWS credentials: temporary ones have a session token. */
export type Credentials = Awaited<ReturnType<LambdaClient['config']['credentials']>>;

type Source = Readonly<{
  logged: string;
  name: string;
  /** The reason for a failure that the SDK does not report. Only for a source after which the SDK stops looking. */
  unsaid?: string;
}>;

/** The sources of credentials, by the message that the SDK logs when it tries them. */
const SOURCES: readonly Source[] = [
  { logged: 'defaultProvider::fromEnv', name: 'the environment' },
  { logged: 'credential-provider-ini - fromIni', name: 'the AWS profile' },
  { logged: 'credential-provider-ini - resolveAssumeRole', name: 'STS (AssumeRole)' },
  { logged: 'credential-provider-process - fromProcess', name: 'credential_process' },
  { logged: 'credential-provider-sso - fromSSO', name: 'IAM Identity Center' },
  {
    logged: 'credential-provider-web-identity - fromTokenFile',
    name: 'the web identity token file',
  },
  {
    logged: 'credential-provider-web-identity - fromWebToken',
    name: 'STS (AssumeRoleWithWebIdentity)',
  },
  {
    logged: 'credential-provider-http - fromHttp',
    name: 'the container credentials endpoint',
    unsaid: 'it did not respond with credentials',
  },
  { logged: 'remoteProvider::fromInstanceMetadata', name: 'the instance metadata service' },
];

// Messages of providers that are not configured, and of settings that are read along the way.
const NOT_CONFIGURED: readonly RegExp[] = [
  /^AWS_PROFILE is set, skipping fromEnv/,
  /^Unable to find environment variable credentials/,
  /^Skipping SSO provider in default chain/,
  /^Could not resolve credentials using profile: \[default\]/,
  /^Profile .{1,256} (?:could not be found|did not contain credential_process)/,
  /^Web identity configuration not specified/,
  /^EC2 Instance Metadata Service access disabled/,
  /^Could not load credentials from any providers/,
  /^Not found in /,
  /^AWS_EC2_METADATA_V1_DISABLED not set/,
];

const NEW_SEARCH = /defaultProvider::fromEnv$|skipping fromEnv provider/;
const PROVIDER_ERROR = /^@smithy\/property-provider (?:->|\(!\)) /;

type Why = Readonly<{ source: string; reason: string }>;

/**
 * A logger for the SDK that records where the SDK looks for credentials, and the first error. At its end, the SDK's
 * chain of providers only reports that there are no credentials, not the error of the configured provider.
 */
export class CredentialTrail {
  #source: Source | undefined;
  #why: Why | undefined;

  /** The source that the SDK tried last. */
  get source(): string {
    return this.#source?.name ?? 'the credential chain';
  }

  /** The first error; undefined if no source is configured. */
  get why(): Why | undefined {
    const unsaid = this.#source?.unsaid;
    return this.#why ?? (unsaid === undefined ? undefined : { source: this.source, reason: unsaid });
  }

  debug(logged: unknown): void {
    if (typeof logged !== 'string') return;
    if (NEW_SEARCH.test(logged)) this.#why = undefined;
    if (PROVIDER_ERROR.test(logged)) this.#note(logged.replace(PROVIDER_ERROR, ''));
    else this.#source = SOURCES.find((source) => logged.includes(source.logged)) ?? this.#source;
  }

  #note(reason: string): void {
    if (NOT_CONFIGURED.some((pattern) => pattern.test(reason))) return;
    this.#why ??= { source: this.source, reason: scrubbed(reason) };
  }

  info(): void {}

  warn(): void {}

  error(): void {}
}

const LONGEST_REASON = 300;
// A reason is cut to this length before it is searched for secrets. No real reason is as long.
const LONGEST_SEARCHED = 4_096;
const HIDDEN = '***';

// The command of credential_process may have passwords in its arguments. Its output follows on the next line.
const COMMAND = /^Command failed: .*/;

/** What a secret looks like in a sentence, and what replaces it. */
const SECRETS: readonly (readonly [pattern: RegExp, shown: string])[] = [
  [/\/\/[^\s/]{1,512}@/g, `//${HIDDEN}@`],
  [/\b(Basic|Bearer) \S+/gi, `$1 ${HIDDEN}`],
  [
    /((?:secret|token|password|passwd|pwd|key|credentials?|signature)\w{0,32}["']? ?[=:] ?)\S+/gi,
    `$1${HIDDEN}`,
  ],
  // Access key IDs, JSON web tokens, and any text that is long enough to be a secret key or a session token.
  [/\bA[A-Z0-9]{15,}\b/g, HIDDEN],
  [/\beyJ[\w-]{8,}(?:\.[\w-]+)*/g, HIDDEN],
  [/[A-Za-z0-9+/=_-]{32,}/g, HIDDEN],
];

/** The start of a reason on one line, without secrets. */
function scrubbed(reason: string): string {
  const line = reason.replace(COMMAND, 'the command failed:').replace(/\s+/g, ' ').trim();
  // The cut is not inside a word, because a part of a secret would not look like a secret.
  const end =
    line.length > LONGEST_SEARCHED ? Math.max(0, line.lastIndexOf(' ', LONGEST_SEARCHED)) : undefined;
  const shown = SECRETS.reduce(
    (text, [pattern, replacement]) => text.replace(pattern, replacement),
    line.slice(0, end),
  );
  return shown.replace(/:$/, '').slice(0, LONGEST_REASON).toWellFormed();
}

/** Configured credentials could not be fetched: their source, and the reason. */
export class CredentialsUnavailable extends Error {
  readonly code: string | undefined;
  readonly statusCode: number | undefined;

  constructor({ source, reason }: Why, cause: unknown) {
    super(`Could not get credentials from ${source}: ${reason}`, { cause });
    const fields = isFields(cause) ? cause : {};
    const { $metadata: metadata } = fields;
    const { httpStatusCode } = isFields(metadata) ? metadata : {};
    this.code = typeof fields['code'] === 'string' ? fields['code'] : undefined;
    this.statusCode = typeof httpStatusCode === 'number' ? httpStatusCode : undefined;
  }
}

const isProviderError = (error: unknown): boolean =>
  isFields(error) && (error['name'] === 'CredentialsProviderError' || error['name'] === 'TokenProviderError');

/** Why there are no credentials; undefined if none are configured. */
function whyNot(error: unknown, trail: CredentialTrail): Why | undefined {
  const message = messageOf(error);
  const { source } = trail;
  if (isProviderError(error)) {
    const isConfigured = !NOT_CONFIGURED.some((pattern) => pattern.test(message));
    return isConfigured ? { source, reason: scrubbed(message) } : trail.why;
  }
  const { name, path, $fault: fault } = isFields(error) ? error : {};
  // A path is shown as it is: it is the user's own setting, and may be as long as a secret.
  if (typeof path === 'string') return { source, reason: message };
  // The name of an STS error says what it is.
  const named = fault !== undefined && typeof name === 'string' && /^\w{1,64}$/.test(name) ? `${name}: ` : '';
  return { source, reason: `${named}${scrubbed(message)}` };
}

/**
 * The credentials of a client, whose logger is a CredentialTrail. Throws CredentialsUnavailable if they are
 * configured but can't be fetched.
 */
export async function fetchCredentials(
  { config }: LambdaClient,
  progress: AttemptProgress,
): Promise<Credentials> {
  progress.credentialsAwaited();
  try {
    const credentials = await config.credentials();
    progress.credentialsFetched();
    return credentials;
  } catch (thrown) {
    const error = firstCause(thrown);
    const why = config.logger instanceof CredentialTrail ? whyNot(error, config.logger) : undefined;
    throw why === undefined ? thrown : new CredentialsUnavailable(why, error);
  }
}
