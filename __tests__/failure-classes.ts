import { FAILURES, type FailureClass } from '../src/lambda/evidence.ts';

/** What each Lambda error proves, whatever its message, and the status that is required for the proof. */
export const CLASSES_BY_NAME: Readonly<Record<string, FailureClass & Readonly<{ status: number }>>> =
  Object.fromEntries(
    FAILURES.flatMap(({ names, status, message, ...row }) =>
      status === undefined || message !== undefined
        ? []
        : names.map((name) => [name, { ...row.class, status }]),
    ),
  );
