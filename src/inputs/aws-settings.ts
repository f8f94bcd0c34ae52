import { FORK_ADVICE } from '../shared/fork-advice.ts';
import type { Environment, Variables } from './environment.ts';
import type { Problems } from './problems.ts';

/** The job's settings for AWS's SDK that are checked before anything is sent. */
export type AwsSettings = Readonly<{
  /** The endpoint variables that are set. The first one is used: the one for Lambda overrides the other. */
  endpoints: readonly Readonly<{ variable: string; isUrl: boolean }>[];
  /** Whether the functions' logs can be read. Those of an emulator can't, unless an endpoint for logs is set. */
  hasLogs: boolean;
  /** The variables of an endpoint's variant whose value the SDK ignores, if there are any. */
  ignoredFlags?: readonly string[];
  /** Which half of an access key is set, and which is empty. */
  halfKey?: Readonly<{ set: string; empty: string }>;
  /** AWS_REGION, only if it looks like a region, because the log shows it and a workflow may set it from any text. */
  region?: string;
  /** AWS_DEFAULT_REGION, used if the SDK finds no region. */
  defaultRegion?: string;
}>;

const ENDPOINTS = ['AWS_ENDPOINT_URL_LAMBDA', 'AWS_ENDPOINT_URL'] as const;
const FLAGS = ['AWS_USE_FIPS_ENDPOINT', 'AWS_USE_DUALSTACK_ENDPOINT'] as const;
const KEY = ['AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY'] as const;

const REGION_CODE = /^[a-z0-9-]{1,30}$/;

const isHttpUrl = (text: string): boolean => /^https?:\/\//i.test(text) && URL.canParse(text);

function halfKeyIn(variables: Variables): AwsSettings['halfKey'] {
  // The SDK ignores these variables if a profile is set.
  if (variables['AWS_PROFILE']) return undefined;
  const set = KEY.find((name) => variables[name]);
  const empty = KEY.find((name) => !variables[name]);
  return set === undefined || empty === undefined ? undefined : { set, empty };
}

// Sources: AWS's endpoints by partition, dual-stack ones, and those of VPC endpoints.
const HOST_OF_AWS = /\.(?:amazonaws\.com(?:\.cn)?|api\.aws|amazonaws\.eu|amazonwebservices\.com\.cn)$/i;

const isOfAws = (url: string): boolean => isHttpUrl(url) && HOST_OF_AWS.test(new URL(url).hostname);

const ignoresEndpoints = (variables: Variables): boolean =>
  variables['AWS_IGNORE_CONFIGURED_ENDPOINT_URLS'] === 'true';

function hasLogsIn(variables: Variables): boolean {
  const { AWS_ENDPOINT_URL_LAMBDA: lambda = '' } = variables;
  const logs = variables['AWS_ENDPOINT_URL_CLOUDWATCH_LOGS'] || variables['AWS_ENDPOINT_URL'] || '';
  return ignoresEndpoints(variables) || lambda === '' || logs !== '' || isOfAws(lambda);
}

// Only `true` turns a flag of the SDK on. For the AWS CLI, `True` does too.
const isIgnored = (flag = ''): boolean => flag !== '' && flag !== 'true' && flag.toLowerCase() !== 'false';

/** Reads AWS's settings from environment variables. */
export function awsSettingsIn(variables: Variables): AwsSettings {
  const endpoints = ENDPOINTS.filter((name) => variables[name] && !ignoresEndpoints(variables)).map(
    (variable) => ({
      variable,
      isUrl: isHttpUrl(variables[variable] ?? ''),
    }),
  );
  const ignoredFlags = FLAGS.filter((name) => isIgnored(variables[name]));
  const halfKey = halfKeyIn(variables);
  const region = variables['AWS_REGION'] ?? '';
  const defaultRegion = variables['AWS_DEFAULT_REGION'];
  return Object.freeze({
    endpoints: Object.freeze(endpoints),
    hasLogs: hasLogsIn(variables),
    ...(ignoredFlags.length > 0 && { ignoredFlags }),
    ...(halfKey && { halfKey }),
    ...(REGION_CODE.test(region) && { region }),
    ...(defaultRegion && { defaultRegion }),
  });
}

/** Adds a problem for each setting that can't work. An endpoint may have a password in it and is not quoted. */
export function checkAwsSettings(
  { aws: { endpoints, ignoredFlags = [], halfKey }, isFork }: Pick<Environment, 'aws' | 'isFork'>,
  problems: Problems,
): void {
  for (const { variable, isUrl } of endpoints) {
    if (isUrl) continue;
    problems.add(
      `The environment variable ${variable} must be a URL and start with http:// or https://, for example http://localhost:4566.`,
    );
  }
  for (const variable of ignoredFlags) {
    problems.add(
      `The environment variable ${variable} must be true or false in lower case: the AWS SDK ignores any other value.`,
    );
  }
  if (halfKey === undefined) return;
  if (isFork) problems.add(FORK_ADVICE);
  problems.add(
    `The environment variable ${halfKey.set} is set, but ${halfKey.empty} is empty (a secret that does not exist is empty, and a pull request from a fork has no secrets).`,
  );
}
