import { fieldOf, textOf } from '../json-fields.ts';
import type { Ending } from './checkpoint.ts';
import { readError } from './error.ts';

/** Says what is wrong with a result, if anything. */
export function resultProblem(result: string | undefined, resultBytes: number): string | undefined {
  if (result === undefined || Buffer.byteLength(result) <= resultBytes) return undefined;
  return `Execution output payload size must be less than or equal to ${resultBytes} bytes.`;
}

const refuse = (ErrorMessage: string): Ending => ({
  status: 'FAILED',
  error: { ErrorType: 'InvalidParameterValueException', ErrorMessage },
});

/** What a handler's answer makes of its execution; undefined where it goes on later. */
export function readHandlerAnswer(
  body: Buffer,
  { resultBytes, isWaiting }: Readonly<{ resultBytes: number; isWaiting: boolean }>,
): Ending | undefined {
  const answer: unknown = JSON.parse(body.toString('utf8'));
  const result = textOf(answer, 'Result');
  switch (fieldOf(answer, 'Status')) {
    case 'SUCCEEDED': {
      const problem = resultProblem(result, resultBytes);
      return problem === undefined ? { status: 'SUCCEEDED', result } : refuse(problem);
    }
    case 'FAILED':
      return { status: 'FAILED', error: readError(fieldOf(answer, 'Error')) ?? {} };
    case 'PENDING':
      return isWaiting ? undefined : refuse('Cannot return PENDING status with no pending operations.');
    default:
      return refuse('Invalid Status in invocation output.');
  }
}
