import leven from 'leven';
import { quote } from './problems.ts';

/** What became of an input's text: its value, or a problem in words that follow the input's name. */
export type ParsedInput<Value> = Readonly<{ value: Value }> | Readonly<{ problem: string }>;

/** How the text of an input becomes a value. */
export type ParseInput<Value> = (text: string) => ParsedInput<Value>;

/** Any text; empty where the input is not given. */
export const anyText: ParseInput<string> = (given) => ({ value: given });

/** The same type for an input without a default: undefined where it is not given. */
export const optional =
  <Value>(parse: ParseInput<Value>): ParseInput<Value | undefined> =>
  (given) =>
    given === '' ? { value: undefined } : parse(given);

/** What a text has to match and how long it may be; `form` says both, in words that follow "must be". */
type TextRule = Readonly<{
  matches: (text: string) => boolean;
  longest: number;
  form: (longest: number) => string;
}>;

/** A text that follows a rule of the API. */
export const matching =
  ({ matches, longest, form }: TextRule): ParseInput<string> =>
  (given) =>
    given.length <= longest && matches(given)
      ? { value: given }
      : { problem: `must be ${form(longest)}; got ${quote(given)}.` };

const bare = (word: string): string => word.toLowerCase().replace(/[^a-z0-9]/g, '');
const LARGEST_DISTANCE = 3;

function suggestion(given: string, choices: readonly string[]): string {
  const byDistance = choices
    .map((choice) => ({ choice, distance: leven(bare(given), bare(choice)) }))
    .sort((a, b) => a.distance - b.distance);
  const [nearest] = byDistance;
  return nearest && nearest.distance <= LARGEST_DISTANCE ? ` (did you mean "${nearest.choice}"?)` : '';
}

/** One of a fixed set of words, spelled exactly; the message suggests the nearest one. */
export const oneOf =
  <const Choice extends string>(choices: readonly Choice[]): ParseInput<Choice> =>
  (given) => {
    const value = choices.find((choice) => choice === given);
    if (value !== undefined) return { value };
    const listed = `${choices.slice(0, -1).join(', ')} or ${choices.at(-1)}`;
    return { problem: `must be ${listed}; got ${quote(given)}${suggestion(given, choices)}.` };
  };

const BOOLEANS = new Map([
  ['true', true],
  ['True', true],
  ['TRUE', true],
  ['false', false],
  ['False', false],
  ['FALSE', false],
]);

/** A boolean as YAML 1.2's core schema writes it, the rule of `core.getBooleanInput`. */
export const flag: ParseInput<boolean> = (given) => {
  const value = BOOLEANS.get(given);
  return value === undefined ? { problem: `must be true or false; got ${quote(given)}.` } : { value };
};

type NumberBounds = Readonly<{ least: number; most: number }>;

/** A whole number within bounds; `unit` names what it counts. */
export const wholeNumber =
  ({ least, most, unit }: NumberBounds & Readonly<{ unit?: string }>): ParseInput<number> =>
  (given) => {
    const value = /^\d+$/.test(given) ? Number(given) : Number.NaN;
    if (value >= least && value <= most) return { value };
    const of = unit === undefined ? '' : ` of ${unit}`;
    return { problem: `must be a whole number${of} from ${least} to ${most}; got ${quote(given)}.` };
  };

/** A whole number of seconds within bounds; the value is in milliseconds. */
export const wholeSeconds = (bounds: NumberBounds): ParseInput<number> => {
  const parse = wholeNumber({ ...bounds, unit: 'seconds' });
  return (given) => {
    const parsed = parse(given);
    return 'value' in parsed ? { value: parsed.value * 1000 } : parsed;
  };
};

/** Which entries a step takes: every `total`th, beginning with `index`, from 0. */
export type Shard = Readonly<{ index: number; total: number }>;

/** `INDEX/TOTAL`, as `strategy.job-index` and `strategy.job-total` give it; all entries where it is not given. */
export const shard: ParseInput<Shard> = (given) => {
  if (given === '') return { value: { index: 0, total: 1 } };
  const parts = /^(\d{1,6})\/(\d{1,6})$/.exec(given);
  const [index, total] = [Number(parts?.[1]), Number(parts?.[2])];
  if (index < total) return { value: { index, total } };
  return {
    problem: `must be INDEX/TOTAL, with INDEX from 0 and below TOTAL, for example \${{ strategy.job-index }}/\${{ strategy.job-total }}; got ${quote(given)}.`,
  };
};
