/** A value of JSON. */
export type Json = null | boolean | number | string | Json[] | { [name: string]: Json };

// As deep as a response may be nested that is read as JSON; what looks into a value calls itself for each level.
const DEEPEST = 500;

/**
 * A copy of a JSON value that has no more than its own fields: an ordinary object seems to have a field `constructor`.
 * What is not JSON, such as a function, is null. Throws where the value is nested too deep.
 */
export function bareCopy(value: unknown, depth = 0): Json {
  if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') return value;
  if (typeof value !== 'object' || value === null) return null;
  if (depth > DEEPEST) throw new Error(`the value is nested deeper than ${DEEPEST} levels`);
  if (Array.isArray(value)) return value.map((item) => bareCopy(item, depth + 1));
  const copy: { [name: string]: Json } = Object.create(null);
  for (const [name, item] of Object.entries(value)) copy[name] = bareCopy(item, depth + 1);
  return copy;
}
