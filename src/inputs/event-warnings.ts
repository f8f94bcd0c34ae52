import { type JsonInput, positionOf } from './json-text.ts';

/** Warns of an expression that stands in a text as it was written, which the function would get. */
export function unevaluatedIn(source: string, { text, input }: { text: string; input: JsonInput }): string[] {
  const offset = text.indexOf('${{');
  if (offset === -1) return [];
  const { line, column } = positionOf(text, offset);
  const why =
    input === 'payload_file'
      ? 'expressions are not evaluated in files'
      : 'an expression was passed on without being evaluated';
  return [`${source} contains "\${{" (line ${line}, column ${column}): ${why}. It is sent as it is.`];
}

/** Whether a text is JSON of an object or a list, and no other text. */
function holdsJson(text: string): boolean {
  if (!/^\s*[{[]/.test(text)) return false;
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

/** What to know of an event that is JSON and yet may not be what was meant. */
export function warningsOf(
  source: string,
  event: Readonly<{ text: string; value: unknown; input: JsonInput }>,
): string[] {
  const isEncodedTwice = typeof event.value === 'string' && holdsJson(event.value);
  const fix = event.input === 'payload_file' ? '' : ' Where it was JSON already, remove toJSON().';
  return [
    ...unevaluatedIn(source, event),
    ...(isEncodedTwice
      ? [`${source} is a JSON string that holds JSON: the event may be encoded twice.${fix}`]
      : []),
  ];
}

const MOST_WARNINGS = 10;

/** The first warnings, each once, and how many more there are. */
export function firstOf(warnings: readonly string[]): string[] {
  const unique = [...new Set(warnings)];
  const more = unique.length - MOST_WARNINGS;
  return more > 0
    ? [...unique.slice(0, MOST_WARNINGS), `${more} more warnings about entries are not shown.`]
    : unique;
}
