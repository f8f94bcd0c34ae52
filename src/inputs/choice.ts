import { type Problems, quote } from './problems.ts';
import { explainChoice, findChoice, inParentheses } from './suggestions.ts';

/** One of a fixed set of words, in any letter case; the message suggests what was meant. */
export function parseChoice<Choice extends string>(
  input: { name: string; value: string; choices: readonly Choice[] },
  problems: Problems,
): Choice | undefined {
  const found = findChoice(input.value, input.choices);
  if (found !== undefined) return found;
  const listed = `${input.choices.slice(0, -1).join(', ')} or ${input.choices.at(-1)}`;
  problems.add(
    `${input.name} must be ${listed}; got ${quote(input.value)}${inParentheses(explainChoice(input.value, input.choices))}.`,
  );
  return undefined;
}

const BOOLEANS = new Map([
  ['true', true],
  ['True', true],
  ['TRUE', true],
  ['false', false],
  ['False', false],
  ['FALSE', false],
]);

/** A boolean as YAML 1.2's core schema writes it, the rule of `core.getBooleanInput`. */
export function parseBoolean(
  input: { name: string; value: string },
  problems: Problems,
): boolean | undefined {
  const found = BOOLEANS.get(input.value);
  if (found === undefined) {
    const why = inParentheses(explainChoice(input.value, ['true', 'false']));
    problems.add(`${input.name} must be true or false; got ${quote(input.value)}${why}.`);
  }
  return found;
}
