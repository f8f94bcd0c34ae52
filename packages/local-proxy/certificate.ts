import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { isIP } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';

/** A self-signed certificate for one test run. `file` is a path for NODE_EXTRA_CA_CERTS. */
export type Certificate = Readonly<{
  key: string;
  cert: string;
  keyFile: string;
  file: string;
  dispose: () => void;
}>;

/** Creates a certificate for host names and addresses, or returns the reason why openssl could not. */
export function makeCertificate(hosts: readonly string[]): Certificate | Readonly<{ missing: string }> {
  const folder = mkdtempSync(path.join(tmpdir(), 'certificate-'));
  const dispose = (): void => rmSync(folder, { recursive: true, force: true });
  const [keyFile, file] = [path.join(folder, 'key.pem'), path.join(folder, 'certificate.pem')];
  const names = hosts.map((host) => `${isIP(host) === 0 ? 'DNS' : 'IP'}:${host}`);
  const made = spawnSync(
    'openssl',
    [
      ...['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', '-subj', '/CN=throw-away'],
      ...['-addext', `subjectAltName=${names.join(',')}`, '-keyout', keyFile, '-out', file],
    ],
    { encoding: 'utf8', timeout: 20_000 },
  );
  if (made.status === 0) {
    return { key: readFileSync(keyFile, 'utf8'), cert: readFileSync(file, 'utf8'), keyFile, file, dispose };
  }
  dispose();
  return {
    missing: made.error ? `no openssl command: ${made.error.message}` : `openssl failed: ${made.stderr}`,
  };
}
