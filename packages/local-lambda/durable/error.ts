import type { ErrorObject } from '@aws-sdk/client-lambda';
import { fieldOf, textOf } from '../json-fields.ts';

function linesOf(value: unknown): string[] | undefined {
  return Array.isArray(value) ? value.map(String) : undefined;
}

/** Reads an ErrorObject. Undefined if the value is not one. */
export function readError(value: unknown): ErrorObject | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  return {
    ErrorMessage: textOf(value, 'ErrorMessage'),
    ErrorType: textOf(value, 'ErrorType'),
    ErrorData: textOf(value, 'ErrorData'),
    StackTrace: linesOf(fieldOf(value, 'StackTrace')),
  };
}

/** Turns a runtime's error payload into an ErrorObject, for an invocation that failed before its handler returned. */
export function errorOfInvocation(body: Buffer): ErrorObject {
  const payload: unknown = JSON.parse(body.toString('utf8'));
  return {
    ErrorMessage: textOf(payload, 'errorMessage'),
    ErrorType: textOf(payload, 'errorType'),
    StackTrace: linesOf(fieldOf(payload, 'trace')),
  };
}

/** Turns an ErrorObject into the error payload of a synchronous invocation. */
export function errorPayloadOf(error: ErrorObject): Buffer {
  return Buffer.from(
    JSON.stringify({
      errorType: error.ErrorType,
      errorMessage: error.ErrorMessage,
      errorData: error.ErrorData,
      stackTrace: error.StackTrace,
    }),
  );
}
