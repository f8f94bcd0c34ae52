/** An object of unknown origin, by its fields. */
export type Fields = Readonly<Record<string, unknown>>;

/** Whether a value has fields: an object that is not a list. */
export const isFields = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** The fields of a value; empty if the value is not an object. */
export const fieldsOf = (value: unknown): Fields => (isFields(value) ? value : {});

/** The message of a thrown value, which can be anything. */
export const messageOf = (thrown: unknown): string =>
  thrown instanceof Error ? thrown.message : String(thrown);
