type Escape = (text: string) => string;

/** A character as JSON can write every one. */
const escaped = (character: string): string => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
const escapedInCapitals = (character: string): string =>
  `\\u${character.charCodeAt(0).toString(16).toUpperCase().padStart(4, '0')}`;

const json: Escape = (text) => JSON.stringify(text).slice(1, -1);
const slashes: Escape = (text) => text.replaceAll('/', '\\/');
const NOT_ASCII = /[\u0080-\uffff]/g;

/** How the libraries that functions use write a text in JSON. */
const JSON_ESCAPES: readonly Escape[] = [
  json,
  // PHP with JSON_UNESCAPED_UNICODE
  (text) => slashes(json(text)),
  // Python, and PHP with JSON_UNESCAPED_SLASHES
  (text) => json(text).replace(NOT_ASCII, escaped),
  // PHP
  (text) => slashes(json(text)).replace(NOT_ASCII, escaped),
  // Jackson, set to write ASCII only
  (text) => json(text).replace(NOT_ASCII, escapedInCapitals),
  // Go
  (text) => json(text).replace(/[<>&\u2028\u2029]/g, escaped),
  // Gson
  (text) => json(text).replace(/[<>&='\u2028\u2029]/g, escaped),
  // .NET
  (text) =>
    json(text)
      .replaceAll('\\"', '"')
      .replace(/["&'+<>`\x7f-\uffff]/g, escapedInCapitals),
];

/** A text as JSON holds it, and as JSON holds it that is itself a text in JSON, by the same library or by another. */
function inJson(text: string): string[] {
  return JSON_ESCAPES.flatMap((written) => {
    const once = written(text);
    return [once, written(once), json(once)];
  });
}

const inUrl = (text: string): string => encodeURIComponent(text.toWellFormed());

const isVisible = (text: string): boolean => text.trim() !== '';

/**
 * The texts that give a secret away: its lines, since a runner masks line by line, and all of it and each line as it
 * is written in JSON and in a URL. A secret of letters and digits alone has one form.
 */
export function formsOf(secret: string): string[] {
  const lines = secret
    .split(/\r\n|\n|\r/)
    .map((line) => line.trim())
    .filter(isVisible);
  const written = [secret, ...lines].filter(isVisible);
  return [...new Set([...lines, ...written.flatMap(inJson), ...written.map(inUrl)])];
}
