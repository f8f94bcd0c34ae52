import { grouped } from '../shared/text.ts';
import { quote } from './problems.ts';
import { explainChoice, explainSeconds, explainWord, findChoice, inParentheses } from './suggestions.ts';

/** The value of an input's text, or a problem, worded to follow the input's name. */
export type ParsedInput<Value> = Readonly<{ value: Value }> | Readonly<{ problem: string }>;

/** Parses the text of an input. */
export type ParseInput<Value> = (text: string) => ParsedInput<Value>;

/** Any text; empty if the input is not given. */
export const anyText: ParseInput<string> = (given) => ({ value: given });

/** The same type for an input without a default; undefined if the input is not given. */
export const optional =
  <Value>(parse: ParseInput<Value>): ParseInput<Value | undefined> =>
  (given) =>
    given === '' ? { value: undefined } : parse(given);

/** Explains a text that is not valid: what it is, or what was probably meant. */
type Explain = (text: string) => string | undefined;

/** What a text has to match, and its longest length. `form` says both, worded to follow "must be". */
type TextRule = Readonly<{
  matches: (text: string) => boolean;
  longest: number;
  form: (longest: number) => string;
  explain?: Explain;
}>;

/** A text that follows a rule of the API. */
export const matching =
  ({ matches, longest, form, explain }: TextRule): ParseInput<string> =>
  (given) => {
    if (given.length <= longest && matches(given)) return { value: given };
    const long = `it has ${grouped(given.length)} characters`;
    const why = given.length > longest ? long : (explain?.(given) ?? explainWord(given));
    return { problem: `must be ${form(longest)}; got ${quote(given)}${inParentheses(why)}.` };
  };

/** One of a fixed set of words, in any letter case; the message suggests what was meant. */
export const oneOf =
  <const Choice extends string>(choices: readonly Choice[]): ParseInput<Choice> =>
  (given) => {
    const value = findChoice(given, choices);
    if (value !== undefined) return { value };
    const listed = `${choices.slice(0, -1).join(', ')} or ${choices.at(-1)}`;
    return {
      problem: `must be ${listed}; got ${quote(given)}${inParentheses(explainChoice(given, choices))}.`,
    };
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
  if (value !== undefined) return { value };
  const why = inParentheses(explainChoice(given, ['true', 'false']));
  return { problem: `must be true or false; got ${quote(given)}${why}.` };
};

type NumberBounds = Readonly<{ least: number; most: number }>;

/** What a number counts, and how to explain a text that is not a number. */
type NumberUnit = Readonly<{ name: string; explain: Explain }>;

/** A whole number within bounds. */
export const wholeNumber =
  ({ least, most, unit }: NumberBounds & Readonly<{ unit?: NumberUnit }>): ParseInput<number> =>
  (given) => {
    const value = /^\d+$/.test(given) ? Number(given) : Number.NaN;
    if (value >= least && value <= most) return { value };
    const of = unit === undefined ? '' : ` of ${unit.name}`;
    const why = inParentheses(unit === undefined ? explainWord(given) : unit.explain(given));
    return { problem: `must be a whole number${of} from ${least} to ${most}; got ${quote(given)}${why}.` };
  };

/** A whole number of seconds within bounds; the value is in milliseconds. */
export const wholeSeconds = (bounds: NumberBounds): ParseInput<number> => {
  const parse = wholeNumber({ ...bounds, unit: { name: 'seconds', explain: explainSeconds } });
  return (given) => {
    const parsed = parse(given);
    return 'value' in parsed ? { value: parsed.value * 1000 } : parsed;
  };
};

/** Which entries a step takes: every `total`th, beginning with `index`, from 0. */
export type Shard = Readonly<{ index: number; total: number }>;

/** `INDEX/TOTAL`, from `strategy.job-index` and `strategy.job-total`. If it is not given, the step takes all entries. */
export const shard: ParseInput<Shard> = (given) => {
  if (given === '') return { value: { index: 0, total: 1 } };
  const parts = /^(\d{1,6})\/(\d{1,6})$/.exec(given);
  const [index, total] = [Number(parts?.[1]), Number(parts?.[2])];
  if (index < total) return { value: { index, total } };
  return {
    problem: `must be INDEX/TOTAL, with INDEX from 0 and below TOTAL, for example \${{ strategy.job-index }}/\${{ strategy.job-total }}; got ${quote(given)}.`,
  };
};

/** The lines of an input that takes one value per line: trimmed, and without empty lines. */
export const linesOf = (text: string): string[] =>
  text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');
