import { invalidRequestContent } from './service-errors.ts';

const EXCERPT_BYTES = 500;
const EXPECTED = "(JSON String, Number, Array, Object or token 'null', 'true' or 'false')";

function positionOf(text: string, error: Error): number {
  const stated = /at position (\d+)/.exec(error.message)?.[1];
  if (stated !== undefined) return Number(stated);
  const token = /^Unexpected token '(.)'/su.exec(error.message)?.[1];
  if (token === undefined) return text.length;
  // V8 names the character without its place: it is the first one of its kind that is no part of a string.
  let insideString = false;
  for (let index = 0; index < text.length; index++) {
    if (!insideString && text.startsWith(token, index)) return index;
    if (insideString && text[index] === '\\') index += 1;
    else if (text[index] === '"') insideString = !insideString;
  }
  return text.length;
}

function describe(text: string, position: number): string {
  const rest = text.slice(position);
  if (rest === '') return 'Unexpected end-of-input';
  const word = /^[A-Za-z_$][\w$]*/.exec(rest)?.[0];
  if (word !== undefined) return `Unrecognized token '${word}': was expecting ${EXPECTED}`;
  const code = rest.codePointAt(0) ?? 0;
  const shown =
    code < 32 || code === 127
      ? `(CTRL-CHAR, code ${code})`
      : `'${String.fromCodePoint(code)}' (code ${code})`;
  return `Unexpected character (${shown}): expected a valid value ${EXPECTED}`;
}

/** Throws what the service answers to a payload that is no JSON, in about the words of its parser. */
export function checkPayload(payload: Buffer): void {
  let text = '';
  try {
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(payload);
    JSON.parse(text);
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    const source = JSON.stringify(payload.toString('utf8').slice(0, EXCERPT_BYTES));
    const position = positionOf(text, error);
    const before = text.slice(0, position).split('\n');
    const column = (before.at(-1)?.length ?? 0) + 2;
    const problem = text === '' ? 'Invalid UTF-8 start byte' : describe(text, position);
    throw invalidRequestContent(
      'Could not parse request body into json: Could not parse payload into json: ' +
        `${problem}\n at [Source: (byte[])${source}; line: ${before.length}, column: ${column}]`,
    );
  }
}
