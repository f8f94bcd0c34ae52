import { invalidInput, writeAnnotations } from './annotations.ts';
import type { ReportGuard } from './guard.ts';
import { notWritten } from './not-written.ts';
import { writeNotInvoked } from './outputs.ts';

/** Reports invalid inputs: nothing was invoked. */
export async function writeRefusal(problems: readonly string[], guard: ReportGuard): Promise<void> {
  await guard.run('outputs', writeNotInvoked);
  writeAnnotations([invalidInput(problems), ...guard.takeProblems().map(notWritten)]);
}

/** Reports that the process ends before anything could be reported. */
export function writeEarlyEnd(): void {
  const error = 'the process ended before the report was written';
  writeAnnotations([notWritten({ report: 'internal', error })]);
}
