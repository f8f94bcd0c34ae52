import { existsSync } from 'node:fs';
import path from 'node:path';
import { isRegion, splitFunctionName } from '../shared/arn.ts';

/** Where the first request will go, over TLS. */
export type EarlyEndpoint = Readonly<{ hostname: string; port: number }>;

type Texts = Readonly<Record<string, string | undefined>>;

// If any of these is set, requests may go to another host, or connections are made differently.
const UNUSUAL = [
  ...['HTTPS_PROXY', 'https_proxy', 'HTTP_PROXY', 'http_proxy', 'NODE_TLS_REJECT_UNAUTHORIZED'],
  ...['AWS_PROFILE', 'AWS_CONFIG_FILE', 'AWS_SHARED_CREDENTIALS_FILE', 'AWS_IGNORE_CONFIGURED_ENDPOINT_URLS'],
  ...['AWS_USE_FIPS_ENDPOINT', 'AWS_USE_DUALSTACK_ENDPOINT'],
] as const;

// An entry of a list may name a region of its own.
const LISTS = ['INPUT_INVOCATIONS', 'INPUT_INVOCATIONS_FILE'] as const;

/** Whether there may be an AWS configuration file, which can name an endpoint or a region. */
function mayHaveConfig(variables: Texts): boolean {
  const home = variables['HOME'] || variables['USERPROFILE'];
  return !home || ['config', 'credentials'].some((name) => existsSync(path.join(home, '.aws', name)));
}

/** The region of the function, if the inputs name exactly one function. */
function regionIn(variables: Texts): string | undefined {
  const name = (variables['INPUT_FUNCTION_NAME'] ?? '').trim();
  const reference = splitFunctionName(name);
  if (reference === undefined) return undefined;
  const given = (variables['INPUT_REGION'] ?? '').trim();
  const region =
    given || reference.region || variables['AWS_REGION'] || variables['AWS_DEFAULT_REGION'] || '';
  return isRegion(region) ? region : undefined;
}

// Source: the SDK's endpoint rules for Lambda, with which a test compares these. The other partitions are left out.
const SUFFIXES: readonly (readonly [regions: RegExp, suffix: string])[] = [
  [/^(?:af|ap|ca|eu|il|me|mx|sa|us)-[a-z]+-\d$/, 'amazonaws.com'],
  [/^us-gov-[a-z]+-\d$/, 'amazonaws.com'],
  [/^cn-[a-z]+-\d$/, 'amazonaws.com.cn'],
];

function endpointOfRegion(region: string): EarlyEndpoint | undefined {
  const suffix = SUFFIXES.find(([regions]) => regions.test(region))?.[1];
  return suffix === undefined ? undefined : { hostname: `lambda.${region}.${suffix}`, port: 443 };
}

/** The server of an https:// URL without a user. */
function endpointOfUrl(text: string): EarlyEndpoint | undefined {
  const url = URL.parse(text);
  if (url === null || url.protocol !== 'https:' || url.username !== '' || url.password !== '')
    return undefined;
  return /^[\w.-]+$/.test(url.hostname)
    ? { hostname: url.hostname, port: Number(url.port || '443') }
    : undefined;
}

/** The server of the first request, from the variables and the unchecked inputs; undefined unless it is certain. */
export function earlyEndpointIn(variables: Texts): EarlyEndpoint | undefined {
  if ([...UNUSUAL, ...LISTS].some((name) => variables[name])) return undefined;
  const region = regionIn(variables);
  if (region === undefined || mayHaveConfig(variables)) return undefined;
  const url = variables['AWS_ENDPOINT_URL_LAMBDA'] || variables['AWS_ENDPOINT_URL'];
  return url ? endpointOfUrl(url) : endpointOfRegion(region);
}

/** Reads `process.env` directly, because the toolkit and the table of inputs take time to load. */
export const readEarlyEndpoint = (): EarlyEndpoint | undefined => earlyEndpointIn(process.env);

/** Whether requests may go over TLS: not where a variable names an endpoint at http://. */
export const mayUseTls = (
  { AWS_ENDPOINT_URL_LAMBDA: lambda, AWS_ENDPOINT_URL: all }: Texts = process.env,
): boolean => !/^http:/i.test(lambda || all || '');
