import { spawn } from 'node:child_process';
import path from 'node:path';
import { text } from 'node:stream/consumers';

/** A program to run. */
export type Program = Readonly<{
  command: string;
  args: readonly string[];
  env: Readonly<Record<string, string | undefined>>;
  cwd?: string;
}>;

/** The resources that one run of a program used. A Node.js process reports its own CPU time and memory. */
export type Usage = Readonly<{ wallMs: number; cpuMs: number; peakMb: number }>;

const preload = (file: string): string => path.join(import.meta.dirname, file);

/** Runs a program to its end. Returns what it writes to descriptor 3. Throws if it fails. */
async function run(program: Program): Promise<{ wallMs: number; report: string }> {
  const startedAt = performance.now();
  const child = spawn(program.command, program.args, {
    env: program.env,
    cwd: program.cwd,
    stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
  });
  let endedAt = 0;
  child.once('exit', () => {
    endedAt = performance.now();
  });
  const closed = new Promise<void>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', () => resolve());
  });
  const [, stdout, stderr, report = ''] = await Promise.all(
    child.stdio.map((stream) => (stream && 'read' in stream ? text(stream) : '')),
  );
  await closed;
  if (child.exitCode !== 0) {
    const end = `${stdout}${stderr}`.slice(-2_000);
    throw new Error(`${program.command} ${program.args.join(' ')} ended with ${child.exitCode}: ${end}`);
  }
  return { wallMs: endedAt - startedAt, report };
}

const withPreload = (file: string, program: Program): Program => ({
  ...program,
  args: ['--require', preload(file), ...program.args],
});

/** Runs a Node.js program and measures the whole process. */
export async function measureNode(program: Program): Promise<Usage> {
  const { wallMs, report } = await run(withPreload('usage.cjs', program));
  const { cpuMs, peakKb } = JSON.parse(report);
  return { wallMs, cpuMs, peakMb: peakKb / 1024 };
}

/** Runs any program and measures its wall time. */
export async function measureWall(program: Program): Promise<number> {
  return (await run(program)).wallMs;
}

/** What a program loaded: files as modules, and parts of Node.js by their names in its sources. */
export type Loaded = Readonly<{ files: readonly string[]; parts: readonly string[] }>;

/** Runs a Node.js program and returns what it loaded. */
export async function loadedBy(program: Program): Promise<Loaded> {
  const { files, parts } = JSON.parse((await run(withPreload('loaded.cjs', program))).report);
  return { files, parts };
}
