import { main } from './main.ts';
import { ReportGuard } from './report/guard.ts';
import type { Surroundings } from './wiring/parts.ts';

/** Keeps the process alive after an error in the background, and records the error for an annotation. */
function surviveErrors(guard: ReportGuard): void {
  process.on('uncaughtException', (error) => guard.fail('internal', error));
  // If the reader of the log is gone, the files must still be written.
  process.stdout.on('error', () => {});
}

/** Reports that Node.js ended the process because nothing was left to wait for. */
async function reportEarlyEnd(): Promise<void> {
  const { writeEarlyEnd } = await import('./wiring/outcomes.ts');
  writeEarlyEnd();
}

/** Runs the action in this process. Never throws: its value is the exit code. */
export async function runProcess({ cancel, early }: Omit<Surroundings, 'guard'>): Promise<number> {
  const guard = new ReportGuard();
  surviveErrors(guard);
  process.once('beforeExit', reportEarlyEnd);
  const exitCode = await main({ guard, cancel, ...(early && { early }) });
  process.off('beforeExit', reportEarlyEnd);
  early?.destroy();
  return exitCode;
}

// Enough for V8's threads to finish their work.
const LONGEST_END_MS = 1000;

/**
 * Ends the process although something keeps it alive. At its end, `process.exit()` waits for the threads of Node.js, and
 * one of them may wait for a DNS server for a minute. A new program in this process ends them, and exits with the code.
 */
function exitNow(): void {
  process.once('exit', (code) => {
    // Windows can't replace a program. Node.js itself is the only program that certainly exists.
    if (process.platform !== 'win32')
      process.execve?.(process.execPath, ['node', '--eval', `process.exitCode = ${code}`], {});
  });
  process.exit();
}

/**
 * Lets the process end when its log is written, or after a second if something keeps it alive. It must not call
 * `process.exit()` at once: that waits for V8's threads, and one of them may wait for a garbage collection by the main
 * thread (nodejs/node#54918).
 */
export function endProcess(): void {
  process.stdout.write('', () => setTimeout(exitNow, LONGEST_END_MS).unref());
}
