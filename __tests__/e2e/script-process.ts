import { type ChildProcess, type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Readable } from 'node:stream';
import { afterEach } from '@jest/globals';

/** A script that is running, and what it has written so far. */
export type ScriptProcess = Readonly<{
  child: ChildProcessByStdio<null, Readable, Readable>;
  out: () => string;
  err: () => string;
}>;

const running = new Set<ChildProcess>();
afterEach(() => {
  for (const child of running) child.kill('SIGKILL');
});

/** Starts a script of this project; it ends with the test. */
export function startScript(
  script: string,
  args: readonly string[],
  options: Readonly<{ cwd: string; env?: NodeJS.ProcessEnv }>,
): ScriptProcess {
  const child = spawn('bash', [script, ...args], { ...options, stdio: ['ignore', 'pipe', 'pipe'] });
  running.add(child);
  child.once('close', () => running.delete(child));
  let [out, err] = ['', ''];
  child.stdout.on('data', (chunk) => {
    out += chunk;
  });
  child.stderr.on('data', (chunk) => {
    err += chunk;
  });
  return { child, out: () => out, err: () => err };
}

/** What a script has written when it has ended. */
export async function scriptEnd({
  child,
  out,
  err,
}: ScriptProcess): Promise<Readonly<{ code: number | null; out: string; err: string }>> {
  await once(child, 'close');
  return { code: child.exitCode, out: out(), err: err() };
}
