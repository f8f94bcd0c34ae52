// Source: actions/runner 2.336, EnvFileKeyValuePairs in FileCommandManager.cs.

// On Windows, CRLF ends a line too.
const LINE_END = process.platform === 'win32' ? /\r?\n/g : /\n/g;

type Line = Readonly<{ text: string; start: number; end: number; next: number }>;

/** The lines of a text with their positions. Text after the last line ending counts as a line. */
function linesOf(text: string): Line[] {
  const ends = [...text.matchAll(LINE_END)].map(({ index, 0: end }) => ({
    end: index,
    next: index + end.length,
  }));
  const all = [...ends, { end: text.length, next: text.length }];
  return all
    .map(({ end, next }, at) => {
      const start = all[at - 1]?.next ?? 0;
      return { text: text.slice(start, end), start, end, next };
    })
    .filter(({ start }) => start < text.length);
}

/**
 * Reads the file that `GITHUB_OUTPUT` or `GITHUB_ENV` names: `name=value` lines, and values between `name<<DELIMITER`
 * lines. Throws if a runner fails the step.
 */
export function readOutputs(file: string): Record<string, string> {
  const outputs: Record<string, string> = {};
  const lines = linesOf(file);
  for (let at = 0; at < lines.length; at += 1) {
    const { text = '', next = 0 } = lines[at] ?? {};
    if (text === '') continue;
    // The first of the two decides how the line is read.
    const [, name = '', kind = '', rest = ''] = /^(.*?)(=|<<)(.*)$/s.exec(text) ?? [];
    if (name === '' || (kind === '<<' && rest === ''))
      throw new Error(`not a line of an output file: ${text.slice(0, 40)}`);
    if (kind === '=') {
      outputs[name] = rest;
      continue;
    }
    const end = lines.findIndex((line, index) => index > at && line.text === rest);
    if (end === -1) throw new Error(`the output ${name} has no closing delimiter`);
    outputs[name] = file.slice(next, Math.max(next, lines[end - 1]?.end ?? 0));
    at = end;
  }
  return outputs;
}
