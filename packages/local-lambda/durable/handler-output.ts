import { fieldOf, textOf } from '../json-fields.ts';
import type { Ending } from './checkpoint.ts';
import { readError } from './error.ts';

/** Returns the error for an output that is too large. */
export function resultProblem(result: string | undefined, resultBytes: number): string | undefined {
  if (result === undefined || Buffer.byteLength(result) <= resultBytes) return undefined;
  return `Execution output payload size must be less than or equal to ${resultBytes} bytes.`;
}

const refuse = (ErrorMessage: string): Ending => ({
  status: 'FAILED',
  error: { ErrorType: 'InvalidParameterValueException', ErrorMessage },
});

/** How a handler's return value ends its execution. Undefined if the execution continues later. */
export function readHandlerOutput(
  body: Buffer,
  { resultBytes, isWaiting }: Readonly<{ resultBytes: number; isWaiting: boolean }>,
): Ending | undefined {
  const output: unknown = JSON.parse(body.toString('utf8'));
  const result = textOf(output, 'Result');
  switch (fieldOf(output, 'Status')) {
    case 'SUCCEEDED': {
      const problem = resultProblem(result, resultBytes);
      return problem === undefined ? { status: 'SUCCEEDED', result } : refuse(problem);
    }
    case 'FAILED':
      return { status: 'FAILED', error: readError(fieldOf(output, 'Error')) ?? {} };
    case 'PENDING':
      return isWaiting ? undefined : refuse('Cannot return PENDING status with no pending operations.');
    default:
      return refuse('Invalid Status in invocation output.');
  }
}
