import { invalidRequestContent } from './service-errors.ts';

// The service parses with Jackson, whose errors have not quoted the payload since 2025. Recorded since then: the source
// and position, the comma of an object and a byte that is not UTF-8. Recorded before: a value, a token, the minus sign
// and text after the document. The other messages are from Jackson's source.
const SOURCE = 'Source: REDACTED (`StreamReadFeature.INCLUDE_SOURCE_IN_LOCATION` disabled)';
const VALUES = "(JSON String, Number, Array, Object or token 'null', 'true' or 'false')";

/** Jackson's messages for those of V8. `%` stands for the character. */
const WORDS: readonly (readonly [v8: RegExp, jackson: string])[] = [
  [/^Expected ',' or '}'/, 'Unexpected character (%): was expecting comma to separate Object entries'],
  [/^Expected ',' or ']'/, 'Unexpected character (%): was expecting comma to separate Array entries'],
  [/^Expected ':'/, 'Unexpected character (%): was expecting a colon to separate field name and value'],
  [
    /^Expected (?:double-quoted )?property name/,
    'Unexpected character (%): was expecting double-quote to start field name',
  ],
  [
    /^No number after minus sign/,
    'Unexpected character (%) in numeric value: expected digit (0-9) to follow minus sign, for valid numeric value',
  ],
  [
    /^Unexpected non-whitespace character/,
    'Unexpected character (%): Expected space separating root-level values',
  ],
  [
    /^Bad control character/,
    'Illegal unquoted character (%): has to be escaped using backslash to be included in string value',
  ],
  [/^Bad escaped character/, 'Unrecognized character escape %'],
  [/^Unexpected token/, `Unexpected character (%): expected a valid value ${VALUES}`],
];

/** A problem, and the number of bytes read before it. */
type Problem = Readonly<{ message: string; read: number }>;

function positionOf(text: string, message: string): number {
  const stated = /at position (\d+)/.exec(message)?.[1];
  if (stated !== undefined) return Number(stated);
  const token = /^Unexpected token '(.)'/su.exec(message)?.[1];
  if (token === undefined) return text.length;
  // V8 names the character but not its position. It is the first such character outside a string.
  let insideString = false;
  for (let index = 0; index < text.length; index++) {
    if (!insideString && text.startsWith(token, index)) return index;
    if (insideString && text[index] === '\\') index += 1;
    else if (text[index] === '"') insideString = !insideString;
  }
  return text.length;
}

function shown(character: string): string {
  const code = character.charCodeAt(0);
  const isControl = code < 0x20 || (code >= 0x7f && code < 0xa0);
  return isControl ? `(CTRL-CHAR, code ${code})` : `'${character}' (code ${code})`;
}

function describe(text: string, v8: string): Problem {
  const position = positionOf(text, v8);
  if (position >= text.length) {
    const isString = v8.startsWith('Unterminated string');
    const expectation = isString ? ': was expecting closing quote for a string value' : '';
    return { message: `Unexpected end-of-input${expectation}`, read: text.length };
  }
  // V8 reports the first wrong character in a word. Jackson reports the whole word.
  const start = position - (/\w*$/.exec(text.slice(0, position))?.[0].length ?? 0);
  const [word] = /^[A-Za-z_]\w*/.exec(text.slice(start)) ?? [];
  if (v8.startsWith('Unexpected token') && word !== undefined) {
    const message = `Unrecognized token '${word}': was expecting ${VALUES}`;
    return { message, read: Math.min(start + word.length + 1, text.length) };
  }
  const [, words = 'Unexpected character (%)'] = WORDS.find(([pattern]) => pattern.test(v8)) ?? [];
  return { message: words.replace('%', () => shown(text.charAt(position))), read: position + 1 };
}

function syntaxProblem(text: string): Problem | undefined {
  try {
    JSON.parse(text);
    return undefined;
  } catch (error) {
    return describe(text, String(Object(error).message));
  }
}

const UTF8_CHARACTERS =
  /^(?:[^\x80-\xff]+|[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3})*/;

function encodingProblem(text: string): Problem | undefined {
  const start = UTF8_CHARACTERS.exec(text)?.[0].length ?? 0;
  if (start === text.length) return undefined;
  const [character = ''] = /^[\xc2-\xf4][\x80-\xbf]*/.exec(text.slice(start)) ?? [];
  const at = start + character.length;
  if (at === text.length) return { message: 'Unexpected end-of-input', read: at };
  const kind = character === '' ? 'start' : 'middle';
  return { message: `Invalid UTF-8 ${kind} byte 0x${text.charCodeAt(at).toString(16)}`, read: at + 1 };
}

/** The first problem of a payload. Reads Latin-1, because Jackson decodes only the bytes of strings. */
function problemOf(payload: Buffer): Problem | undefined {
  const text = payload.toString('latin1');
  const [syntax, encoding] = [syntaxProblem(text), encodingProblem(text)];
  return syntax && encoding ? (syntax.read <= encoding.read ? syntax : encoding) : (syntax ?? encoding);
}

/** Throws the service's error for a payload that is not JSON, close to the words of its parser. */
export function checkPayload(payload: Buffer): void {
  const problem = problemOf(payload);
  if (problem === undefined) return;
  const lines = payload.subarray(0, problem.read).toString('latin1').split('\n');
  const column = (lines.at(-1)?.length ?? 0) + 1;
  throw invalidRequestContent(
    `Could not parse request body into json: Could not parse payload into json: ${problem.message}\n` +
      ` at [${SOURCE}; line: ${lines.length}, column: ${column}]`,
  );
}
