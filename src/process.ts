import { main } from './main.ts';
import { ReportGuard } from './report/guard.ts';
import type { Surroundings } from './wiring/parts.ts';

/** No error in the background ends the process before the report, which has an annotation for it. */
function surviveErrors(guard: ReportGuard): void {
  process.on('uncaughtException', (error) => guard.fail('internal', error));
  // The reader of the log is gone. The files are still to be written.
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

/** Ends the process once its log is written: all reports are, and Node.js would take time to free its memory. */
export function endProcess(): void {
  // A pipe takes text asynchronously, and exit() drops what has not been taken.
  process.stdout.write('', () => process.exit());
}
