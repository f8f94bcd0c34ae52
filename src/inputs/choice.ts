import leven from 'leven';
import { type Problems, quote } from './problems.ts';

const bare = (word: string): string => word.toLowerCase().replace(/[^a-z0-9]/g, '');
const NEAR = 3;

function suggestion(value: string, choices: readonly string[]): string {
  const byDistance = choices
    .map((choice) => ({ choice, distance: leven(bare(value), bare(choice)) }))
    .sort((a, b) => a.distance - b.distance);
  const [nearest] = byDistance;
  return nearest && nearest.distance <= NEAR ? ` (did you mean "${nearest.choice}"?)` : '';
}

/** One of a fixed set of words, spelled exactly; what comes near is suggested. */
export function parseChoice<Choice extends string>(
  input: { name: string; value: string; choices: readonly Choice[] },
  problems: Problems,
): Choice | undefined {
  const found = input.choices.find((choice) => choice === input.value);
  if (found !== undefined) return found;
  const listed = `${input.choices.slice(0, -1).join(', ')} or ${input.choices.at(-1)}`;
  problems.add(
    `${input.name} must be ${listed}; got ${quote(input.value)}${suggestion(input.value, input.choices)}.`,
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
  if (found === undefined) problems.add(`${input.name} must be true or false; got ${quote(input.value)}.`);
  return found;
}
