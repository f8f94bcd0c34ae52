import { type Problems, quote } from './problems.ts';
import { explainSeconds, inParentheses } from './suggestions.ts';

/** A whole number within bounds. */
export function parseInteger(
  input: { name: string; value: string; least: number; most: number; of?: string },
  problems: Problems,
): number | undefined {
  const value = /^\d+$/.test(input.value) ? Number(input.value) : Number.NaN;
  if (value >= input.least && value <= input.most) return value;
  const [of, why] =
    input.of === undefined ? ['', ''] : [` of ${input.of}`, inParentheses(explainSeconds(input.value))];
  problems.add(
    `${input.name} must be a whole number${of} from ${input.least} to ${input.most}; got ${quote(input.value)}${why}.`,
  );
  return undefined;
}

/** A whole number of seconds within bounds; the answer is in milliseconds. */
export function parseSeconds(
  input: { name: string; value: string; least: number; most: number },
  problems: Problems,
): number | undefined {
  const seconds = parseInteger({ ...input, of: 'seconds' }, problems);
  return seconds === undefined ? undefined : seconds * 1000;
}

/** Which entries a step takes: every `total`th, beginning with `index`, from 0. */
export type Shard = Readonly<{ index: number; total: number }>;

/** Reads `INDEX/TOTAL`, as `strategy.job-index` and `strategy.job-total` give it. */
export function parseShard(text: string, problems: Problems): Shard | undefined {
  if (text === '') return { index: 0, total: 1 };
  const parts = /^(\d{1,6})\/(\d{1,6})$/.exec(text);
  const [index, total] = [Number(parts?.[1]), Number(parts?.[2])];
  if (index < total) return { index, total };
  problems.add(
    `shard must be INDEX/TOTAL, with INDEX from 0 and below TOTAL, for example \${{ strategy.job-index }}/\${{ strategy.job-total }}; got ${quote(text)}.`,
  );
  return undefined;
}
