import { spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { createInterface } from 'node:readline';

/** A quick Lambda in a separate process. */
export type QuickLambda = Readonly<{ url: string; close: () => Promise<void> }>;

/** Starts a server of this folder. Returns the line that it prints when it listens. */
async function startServer(
  file: string,
  args: readonly string[],
): Promise<Readonly<{ line: string; close: () => Promise<void> }>> {
  const child = spawn(process.execPath, [path.join(import.meta.dirname, file), ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = once(child, 'close');
  const [line] = await once(createInterface(child.stdout), 'line');
  return {
    line,
    close: async () => {
      child.kill();
      await ended;
    },
  };
}

/** Starts a quick Lambda. With `tls`, it uses HTTPS with that key and certificate. */
export async function startQuickLambda(
  waitMs: number,
  tls?: Readonly<{ keyFile: string; file: string }>,
): Promise<QuickLambda> {
  const files = tls === undefined ? [] : [tls.keyFile, tls.file];
  const { line, close } = await startServer('quick-lambda.ts', [String(waitMs), ...files]);
  return { url: line, close };
}

/** Puts a slow network in front of a quick Lambda, also in a separate process. */
export async function startFarLambda(roundTripMs: number, lambda: QuickLambda): Promise<QuickLambda> {
  const url = new URL(lambda.url);
  const { line, close } = await startServer('slow-network.ts', [String(roundTripMs), url.port]);
  url.port = line;
  return { url: url.origin, close };
}
