/** An object of unknown origin, by its fields. */
export type Fields = Readonly<Record<string, unknown>>;

/** Whether a value has fields: an object, and no list. */
export const isFields = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** The fields of a value; none where it is no object. */
export const fieldsOf = (value: unknown): Fields => (isFields(value) ? value : {});
