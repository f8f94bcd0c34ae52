import { Buffer } from 'node:buffer';
import type { Variables } from './environment.ts';

/** Credentials of the step. Whoever answers may repeat them, and nobody is to see them. */
export type StepCredentials = Readonly<{ keys: readonly string[]; passwords: readonly string[] }>;

// An access key id is no secret: it is in every signed request, and advice about permissions names it.
const KEYS = ['AWS_SECRET_ACCESS_KEY', 'AWS_SESSION_TOKEN', 'AWS_CONTAINER_AUTHORIZATION_TOKEN'];

/** A proxy's password as it stands in its URL, decoded, and in the header that Node.js sends. */
function passwordsOf(proxy: string): string[] {
  const url = URL.parse(proxy.includes('://') ? proxy : `http://${proxy}`);
  if (url === null || url.password === '') return [];
  try {
    const [user, password] = [url.username, url.password].map(decodeURIComponent);
    return [url.password, password ?? '', Buffer.from(`${user}:${password}`).toString('base64')];
  } catch {
    // It is refused as an input.
    return [url.password];
  }
}

/** The credentials among environment variables, and those of proxies that they name. */
export function credentialsIn(
  variables: Variables,
  { token, proxies }: { token: string; proxies: Variables },
): StepCredentials {
  const keys = [...KEYS.map((name) => variables[name] ?? ''), token].map((text) => text.trim());
  const passwords = Object.values(proxies).flatMap((proxy = '') => passwordsOf(proxy.trim()));
  const given = (texts: readonly string[]): readonly string[] =>
    Object.freeze([...new Set(texts)].filter((text) => text !== ''));
  return Object.freeze({ keys: given(keys), passwords: given(passwords) });
}
