import type { ProxyVariables } from '../lambda/agents.ts';
import type { Environment } from './environment.ts';
import type { Problems } from './problems.ts';

/** In the order of Node.js: the variable in lower case is used if both are set. */
const PROXIES = [
  ['https_proxy', 'HTTPS_PROXY'],
  ['http_proxy', 'HTTP_PROXY'],
] as const;

/** The URL of a proxy in the form that Node.js accepts; undefined if Node.js can't use it. */
function proxyUrlOf(value: string): string | undefined {
  const text = value.trim();
  const url = URL.parse(text.includes('://') ? text : `http://${text}`);
  if (url === null || url.hostname === '') return undefined;
  if (url.protocol !== 'http:' && url.protocol !== 'https:') return undefined;
  try {
    decodeURIComponent(url.username);
    decodeURIComponent(url.password);
  } catch {
    return undefined;
  }
  return url.href;
}

/**
 * Whether the agents of this Node.js support proxies, as they do since 24.5. Older versions silently bypass the proxy.
 */
function supportsProxies(nodeVersion: string): boolean {
  const [major = 0, minor = 0] = nodeVersion.split('.').map(Number);
  return major > 24 || (major === 24 && minor >= 5);
}

// A name, not an address, a range of addresses, a pattern or a name with a port.
const NAME = /^(?=.*[a-z])[a-z\d-]+(?:\.[a-z\d-]+)*$/i;

/**
 * NO_PROXY in the form that Node.js accepts. For the AWS CLI, curl and a runner, a domain includes its subdomains. For
 * Node.js, only a pattern does.
 */
const withSubdomains = (noProxy: string): string =>
  noProxy
    .split(',')
    .map((entry) => entry.trim())
    .flatMap((entry) => (NAME.test(entry) ? [entry, `*.${entry}`] : [entry]))
    .join(',');

/**
 * Checks the proxy variables. Their values are never quoted, because they may contain a password.
 * Node.js ignores a value that it doesn't know, and would silently bypass such a proxy.
 */
export function parseProxy(
  { proxy: variables, nodeVersion }: Pick<Environment, 'proxy' | 'nodeVersion'>,
  problems: Problems,
): ProxyVariables {
  const checked = PROXIES.map(([lower, upper]) => {
    const name = variables[lower] ? lower : upper;
    const value = variables[name];
    if (!value) return [lower, undefined] as const;
    if (!supportsProxies(nodeVersion)) {
      problems.add(
        `The environment variable ${name} is set, but Node.js ${nodeVersion} ignores it and would bypass the proxy. Update the runner to a version that runs actions on Node.js 24.5 or later, or remove the variable.`,
      );
    }
    const url = proxyUrlOf(value);
    if (url === undefined) {
      problems.add(
        `The environment variable ${name} must be the URL of a proxy, http://host:port or https://host:port; in a user or password, write % as %25. Its value is not shown, as it may hold a password.`,
      );
    }
    return [lower, url] as const;
  });
  const noProxy = variables['no_proxy'] || variables['NO_PROXY'];
  return {
    ...Object.fromEntries(checked),
    ...(noProxy && { no_proxy: withSubdomains(noProxy) }),
  };
}
