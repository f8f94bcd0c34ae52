import { FAILURES, type FailureClass } from '../src/lambda/evidence.ts';

/** What each error of Lambda proves, whatever its message says, and the status without which it proves nothing. */
export const CLASSES_BY_NAME: Readonly<Record<string, FailureClass & Readonly<{ status: number }>>> =
  Object.fromEntries(
    FAILURES.flatMap(({ names, status, message, ...row }) =>
      status === undefined || message !== undefined
        ? []
        : names.map((name) => [name, { ...row.class, status }]),
    ),
  );
