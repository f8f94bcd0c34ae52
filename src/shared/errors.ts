/** The message of anything that was thrown, whether it is an Error or not. */
export const messageOf = (thrown: unknown): string =>
  thrown instanceof Error ? thrown.message : String(thrown);
