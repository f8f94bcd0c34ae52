import { type Problems, quote } from './problems.ts';

/** A whole number of seconds within bounds; the answer is in milliseconds. */
export function parseSeconds(
  input: { name: string; value: string; least: number; most: number },
  problems: Problems,
): number | undefined {
  const seconds = /^\d+$/.test(input.value) ? Number(input.value) : Number.NaN;
  if (seconds >= input.least && seconds <= input.most) return seconds * 1000;
  problems.add(
    `${input.name} must be a whole number of seconds from ${input.least} to ${input.most}; got ${quote(input.value)}.`,
  );
  return undefined;
}
