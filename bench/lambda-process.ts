import { spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { createInterface } from 'node:readline';

/** A quick Lambda in a process of its own. */
export type QuickLambda = Readonly<{ url: string; close: () => Promise<void> }>;

/** Starts it; with `tls` it speaks HTTPS with that key and certificate. */
export async function startQuickLambda(
  waitMs: number,
  tls?: Readonly<{ keyFile: string; file: string }>,
): Promise<QuickLambda> {
  const server = path.join(import.meta.dirname, 'quick-lambda.ts');
  const child = spawn(
    process.execPath,
    [server, String(waitMs), ...(tls === undefined ? [] : [tls.keyFile, tls.file])],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  const ended = once(child, 'close');
  const [url] = await once(createInterface(child.stdout), 'line');
  return {
    url,
    close: async () => {
      child.kill();
      await ended;
    },
  };
}
