import type { ProxyVariables } from '../lambda/agents.ts';
import type { Environment } from './environment.ts';
import type { Problems } from './problems.ts';

/** Node's order: the lower case counts where both are set. */
const PROXIES = [
  ['https_proxy', 'HTTPS_PROXY'],
  ['http_proxy', 'HTTP_PROXY'],
] as const;

/** The URL of a proxy in the form that Node takes, or undefined where it is none that Node can use. */
function normalise(value: string): string | undefined {
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

/** Whether this Node.js has agents that go through a proxy: since 24.5. Others bypass it without a word. */
function supportsProxies(nodeVersion: string): boolean {
  const [major = 0, minor = 0] = nodeVersion.split('.').map(Number);
  return major > 24 || (major === 24 && minor >= 5);
}

/**
 * Checks the proxy variables, whose values may hold a password and so are never quoted.
 * Node passes over what it does not know and would go past such a proxy without a word.
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
    const url = normalise(value);
    if (url === undefined) {
      problems.add(
        `The environment variable ${name} must be the URL of a proxy, http://host:port or https://host:port; in a user or password, write % as %25. Its value is not shown, as it may hold a password.`,
      );
    }
    return [lower, url] as const;
  });
  return { ...Object.fromEntries(checked), no_proxy: variables['no_proxy'] || variables['NO_PROXY'] };
}
