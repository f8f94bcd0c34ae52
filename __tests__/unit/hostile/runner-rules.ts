/** A command that a runner would run, with its properties and data. */
export type Command = Readonly<{
  name: string;
  properties: Readonly<Record<string, string>>;
  data: string;
}>;

/** One line of a step's standard output, as a runner reads it. */
export type Judged =
  | Readonly<{ kind: 'text'; line: string }>
  /** Text between `::stop-commands::` and its token. */
  | Readonly<{ kind: 'fenced'; line: string }>
  | Readonly<{ kind: 'command'; command: Command }>
  | Readonly<{ kind: 'resume'; token: string }>;

/** Standard output according to the runner's rules. `open` is the token of a fence that is not closed. */
export type Transcript = Readonly<{ lines: readonly Judged[]; open: string | undefined }>;

// The runner uses culture-sensitive comparison, which can ignore zero-width and control characters, and trims
// Unicode whitespace. If it is uncertain whether a runner reads a command, this code reads one.
const WEIGHTLESS = /[\p{Cf}\p{Cc}\p{Default_Ignorable_Code_Point}]/gu;
const LEADING_SPACE = /^[\p{White_Space}\ufeff]+/u;

const weighed = (line: string): string => line.replace(WEIGHTLESS, '').replace(LEADING_SPACE, '');

/** The runner replaces one escape after the other in the whole text, and the percent sign last. */
function unescaped(
  text: string,
  escapes: readonly (readonly [escaped: string, character: string])[],
): string {
  return [...escapes, ['%25', '%'] as const].reduce(
    (so, [escaped, character]) => so.replaceAll(escaped, character),
    text,
  );
}

const LINE_ENDS = [
  ['%0D', '\r'],
  ['%0A', '\n'],
] as const;
const IN_DATA = LINE_ENDS;
const IN_PROPERTY = [...LINE_ENDS, ['%3A', ':'], ['%2C', ',']] as const;
const IN_OLD_SYNTAX = [['%3B', ';'], ...LINE_ENDS, ['%5D', ']']] as const;

type Syntax = Readonly<{ separator: string; property: typeof IN_PROPERTY | typeof IN_OLD_SYNTAX }>;

function commandOf(head: string, data: string, { separator, property }: Syntax): Command {
  const space = head.indexOf(' ');
  const name = space < 0 ? head : head.slice(0, space);
  const pairs =
    space < 0
      ? []
      : head
          .slice(space + 1)
          .trim()
          .split(separator);
  return {
    name: name.toLowerCase(),
    properties: Object.fromEntries(
      pairs
        .filter((pair) => pair.includes('='))
        .map((pair) => {
          const at = pair.indexOf('=');
          return [pair.slice(0, at), unescaped(pair.slice(at + 1), property)] as const;
        }),
    ),
    data,
  };
}

/** The command in a line: `::name key=value,key=value::data`, or `##[name key=value;key=value]data` anywhere in it. */
function commandIn(line: string): Command | undefined {
  const start = weighed(line).startsWith('::') ? line.indexOf('::') : -1;
  if (start >= 0) {
    const end = line.indexOf('::', start + 2);
    const head = line.slice(start + 2, end < 0 ? undefined : end);
    const data = end < 0 ? '' : unescaped(line.slice(end + 2), IN_DATA);
    return commandOf(head, data, { separator: ',', property: IN_PROPERTY });
  }
  if (weighed(line).includes('##[')) {
    const [, head = '', data = ''] = /#[^#]*#[^[]*\[([^\]]*)\]?(.*)$/su.exec(line) ?? [];
    return commandOf(head, unescaped(data, IN_OLD_SYNTAX), { separator: ';', property: IN_OLD_SYNTAX });
  }
  return undefined;
}

/** Whether a line would resume commands: names are case-insensitive, and the old syntax works anywhere in a line. */
function resumes(line: string, token: string): boolean {
  const lower = line.toLowerCase();
  const wanted = token.toLowerCase();
  return commandIn(lower)?.name === wanted || lower.includes(`##[${wanted}`);
}

/** Classifies every line of standard output. CR, LF and CRLF each end a line. */
export function judgeOutput(stdout: string): Transcript {
  const lines: Judged[] = [];
  let open: string | undefined;
  for (const line of stdout.replace(/(?:\r\n|\r|\n)$/, '').split(/\r\n|\r|\n/)) {
    if (open !== undefined) {
      if (resumes(line, open)) {
        lines.push({ kind: 'resume', token: open });
        open = undefined;
      } else lines.push({ kind: 'fenced', line });
      continue;
    }
    const command = commandIn(line);
    lines.push(command === undefined ? { kind: 'text', line } : { kind: 'command', command });
    if (command?.name === 'stop-commands') open = command.data;
  }
  return { lines, open };
}

/** The commands that were run. */
export const commandsIn = ({ lines }: Transcript): Command[] =>
  lines.flatMap((line) => (line.kind === 'command' ? [line.command] : []));

/** The tokens of the fences that were closed. */
export const tokensIn = ({ lines }: Transcript): string[] =>
  lines.flatMap((line) => (line.kind === 'resume' ? [line.token] : []));

/**
 * Reads the file that GITHUB_OUTPUT names, in order and with duplicates: only LF ends a line, and whichever of
 * `=` and `<<` comes first decides whether a line is a complete output or the start of one.
 */
export function outputsIn(file: string): (readonly [name: string, value: string])[] {
  const outputs: (readonly [string, string])[] = [];
  const lines = file.split('\n');
  for (let at = 0; at < lines.length; at += 1) {
    const line = lines[at] ?? '';
    if (line === '') continue;
    const [equals, heredoc] = [line.indexOf('='), line.indexOf('<<')];
    if (equals >= 0 && (heredoc < 0 || equals < heredoc)) {
      outputs.push([line.slice(0, equals), line.slice(equals + 1)]);
      continue;
    }
    const [name, delimiter] = [line.slice(0, heredoc), line.slice(heredoc + 2)];
    if (heredoc < 1 || delimiter === '') throw new Error(`not a line of outputs: ${line}`);
    const end = lines.indexOf(delimiter, at + 1);
    if (end < 0) throw new Error(`${name} has no end`);
    outputs.push([name, lines.slice(at + 1, end).join('\n')]);
    at = end;
  }
  return outputs;
}
