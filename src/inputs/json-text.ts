/** The input that contains a JSON text. The advice depends on it: a file, for example, has no expressions. */
export type JsonInput = 'payload' | 'payload_file' | 'invocations_file' | 'client_context';

/** Whether an input's text is in a file, where no expression is evaluated. */
export const isFileInput = (input: JsonInput): boolean => input.endsWith('_file');

/** The place of a mistake, with line and column from 1, and advice that never quotes a value. */
export type JsonProblem = Readonly<{ line: number; column: number; advice: string }>;

/** The line and column, from 1, of an offset. */
export function positionOf(text: string, offset: number): Readonly<{ line: number; column: number }> {
  let line = 1;
  let start = 0;
  for (let at = text.indexOf('\n'); at !== -1 && at < offset; at = text.indexOf('\n', start)) {
    line += 1;
    start = at + 1;
  }
  return { line, column: offset - start + 1 };
}

/** The offset that V8 reports; undefined for an unexpected token, for which V8 reports none. */
function reportedOffset(text: string, error: unknown): number | undefined {
  const message = error instanceof Error ? error.message : '';
  const position = / at position (\d+) \(line \d+ column \d+\)$/.exec(message)?.[1];
  if (position !== undefined) return Number(position);
  return message === 'Unexpected end of JSON input' ? text.length : undefined;
}

/** Parses JSON like JSON.parse. The code that finds a mistake is loaded only if there is one. */
export async function parseJson(
  text: string,
  input: JsonInput,
): Promise<{ value: unknown; problem?: never } | { problem: JsonProblem; value?: never }> {
  try {
    const value: unknown = JSON.parse(text);
    return { value };
  } catch (error) {
    const { findMistake } = await import('./json-mistakes.ts');
    const { offset, advice } = findMistake({ text, input, reported: reportedOffset(text, error) });
    return { problem: { ...positionOf(text, offset), advice } };
  }
}

/** `payload, line 1, column 20: remove the comma before "}".`, a whole message. */
export const describeJsonProblem = (source: string, { line, column, advice }: JsonProblem): string =>
  `${source}, line ${line}, column ${column}: ${advice}`;
