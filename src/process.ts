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

/** Ends the process when its log is written. All reports are written by then, and freeing memory would take time. */
export function endProcess(): void {
  // A pipe takes text asynchronously, and exit() drops text that has not been taken.
  process.stdout.write('', () => process.exit());
}
