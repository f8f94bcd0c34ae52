// How a runner reads the text that a step prints. Source: actions/runner 2.336, ActionCommand.cs,
// ActionCommandManager.cs, OutputManager.cs and AddIssue in ExecutionContext.cs.

/** An annotation that a step created with a command in its output. */
export type Annotation = Readonly<{ level: 'error' | 'warning' | 'notice'; title: string; message: string }>;

/** A line of the log as a browser shows it: foldable groups, annotations in their color, secrets masked. */
export type LogLine = Readonly<{
  kind: 'text' | 'group' | 'error' | 'warning' | 'notice' | 'debug';
  text: string;
  depth: number;
}>;

/** Everything that a runner reads from a step's output. */
export type StepLog = Readonly<{
  lines: readonly LogLine[];
  annotations: readonly Annotation[];
  /** Every line of a value that `add-mask` registered. */
  masks: readonly string[];
  /** The names of the commands that ran, in order. */
  commands: readonly string[];
}>;

type Command = Readonly<{ name: string; properties: Readonly<Record<string, string>>; data: string }>;

const STOP_COMMANDS = 'stop-commands';
/** The commands that a runner knows. A line with any other command is text. */
const COMMANDS = [
  'add-mask',
  'add-matcher',
  'add-path',
  'debug',
  'echo',
  'endgroup',
  'error',
  'group',
  'notice',
  'remove-matcher',
  'save-state',
  'set-env',
  'set-output',
  STOP_COMMANDS,
  'warning',
];

// In UTF-16 units, of the message alone, after masking; the line in the log is cut as well.
const LONGEST_MESSAGE = 4_096;
const MOST_ANNOTATIONS_OF_A_LEVEL = 10;
// A shorter token is not masked.
const SHORTEST_MASKED_TOKEN = 7;

type Escapes = readonly (readonly [escaped: string, character: string])[];
const IN_DATA: Escapes = [
  ['%0D', '\r'],
  ['%0A', '\n'],
  ['%25', '%'],
];
const IN_PROPERTY: Escapes = [...IN_DATA.slice(0, 2), ['%3A', ':'], ['%2C', ','], ['%25', '%']];
const IN_OLD_SYNTAX: Escapes = [['%3B', ';'], ...IN_DATA.slice(0, 2), ['%5D', ']'], ['%25', '%']];

/** Replaces one escape after the other in the whole text, in the order that a runner uses. */
const unescaped = (text: string, escapes: Escapes): string =>
  escapes.reduce((so, [escaped, character]) => so.replaceAll(escaped, character), text);

type Syntax = Readonly<{ separator: string; inProperty: Escapes; inData: Escapes }>;
const SYNTAX: Syntax = { separator: ',', inProperty: IN_PROPERTY, inData: IN_DATA };
const OLD_SYNTAX: Syntax = { separator: ';', inProperty: IN_OLD_SYNTAX, inData: IN_OLD_SYNTAX };

function commandOf(head: string, data: string, syntax: Syntax): Command {
  const space = head.indexOf(' ');
  const pairs = space < 0 ? [] : head.slice(space + 1).split(syntax.separator);
  return {
    name: (space < 0 ? head : head.slice(0, space)).toLowerCase(),
    properties: Object.fromEntries(
      pairs.flatMap((pair) => {
        const [, key = '', value = ''] = /^([^=]+)=(.+)$/s.exec(pair.trim()) ?? [];
        return key === '' ? [] : [[key.toLowerCase(), unescaped(value, syntax.inProperty)] as const];
      }),
    ),
    data: unescaped(data, syntax.inData),
  };
}

/** `::name key=value,key=value::data`, after optional whitespace, and `##[name key=value;]data` anywhere in a line. */
function parseCommand(line: string, isKnown: (name: string) => boolean): Command | undefined {
  const trimmed = line.trimStart();
  const end = trimmed.startsWith('::') ? trimmed.indexOf('::', 2) : -1;
  const command = end < 0 ? undefined : commandOf(trimmed.slice(2, end), trimmed.slice(end + 2), SYNTAX);
  if (command !== undefined && isKnown(command.name)) return command;
  const start = line.indexOf('##[');
  const bracket = start < 0 ? -1 : line.indexOf(']', start);
  const old =
    bracket < 0 ? undefined : commandOf(line.slice(start + 3, bracket), line.slice(bracket + 1), OLD_SYNTAX);
  return old !== undefined && isKnown(old.name) ? old : undefined;
}

const isAnnotationLevel = (name: string): name is Annotation['level'] =>
  name === 'error' || name === 'warning' || name === 'notice';

/** Reads the lines that a step prints. Standard output and standard error share one reader. */
export class LogReader {
  readonly #lines: LogLine[] = [];
  readonly #annotations: Annotation[] = [];
  readonly #masks: string[] = [];
  readonly #secrets: string[] = [];
  readonly #commands: string[] = [];
  readonly #onLine: (line: LogLine) => void;
  #stopToken: string | undefined;
  #depth = 0;

  constructor(onLine: (line: LogLine) => void = () => {}) {
    this.#onLine = onLine;
  }

  get log(): StepLog {
    return {
      lines: this.#lines,
      annotations: this.#annotations,
      masks: this.#masks,
      commands: this.#commands,
    };
  }

  /** Reads one line, without its line ending. */
  read(line: string): void {
    const stopToken = this.#stopToken;
    const isKnown = (name: string): boolean => COMMANDS.includes(name) || name === stopToken?.toLowerCase();
    const command = parseCommand(line, isKnown);
    if (command === undefined) this.#show('text', line);
    else if (stopToken === undefined) this.#carryOut(command, line);
    else {
      this.#show('text', line);
      if (command.name === stopToken.toLowerCase()) this.#stopToken = undefined;
    }
  }

  #carryOut({ name, properties, data }: Command, line: string): void {
    this.#commands.push(name);
    if (name === STOP_COMMANDS) this.#stop(data, line);
    else if (name === 'add-mask') {
      const parts = data.split(/[\r\n]/).map((part) => part.trim());
      const masked = parts.filter((part) => part !== '');
      this.#masks.push(...masked);
      this.#secrets.push(...(data.trim() === '' ? [] : [data]), ...masked);
    } else if (name === 'group') {
      this.#show('group', data);
      this.#depth = 1;
    } else if (name === 'endgroup') this.#depth = 0;
    else if (name === 'debug') this.#show('debug', data);
    else if (isAnnotationLevel(name)) this.annotate(name, properties['title'] ?? '', data);
  }

  /** Registers the token as a secret and prints the line, as a runner does. */
  #stop(token: string, line: string): void {
    if (token === '' || token === 'pause-logging' || COMMANDS.includes(token.toLowerCase()))
      throw new Error(`a runner fails a step that stops commands with the token "${token}"`);
    this.#stopToken = token;
    if (token.length >= SHORTEST_MASKED_TOKEN) this.#secrets.push(token);
    this.#show('text', line);
  }

  /** Adds an annotation, and its line in the log. A title is not masked. */
  annotate(level: Annotation['level'], title: string, data: string): void {
    const message = this.#masked(data).slice(0, LONGEST_MESSAGE);
    const before = this.#annotations.filter((annotation) => annotation.level === level).length;
    if (before < MOST_ANNOTATIONS_OF_A_LEVEL) this.#annotations.push({ level, title, message });
    this.#show(level, message);
  }

  #masked(text: string): string {
    return this.#secrets.reduce((shown, secret) => shown.replaceAll(secret, '***'), text);
  }

  #show(kind: LogLine['kind'], text: string): void {
    const line = { kind, text: this.#masked(text), depth: kind === 'group' ? 0 : this.#depth };
    this.#lines.push(line);
    this.#onLine(line);
  }
}

/** Splits a stream into lines as a runner does: LF, CR and CRLF each end a line. */
export class LineSplitter {
  readonly #decoder = new TextDecoder();
  readonly #take: (line: string) => void;
  #rest = '';

  constructor(take: (line: string) => void) {
    this.#take = take;
  }

  write(chunk: Uint8Array): void {
    this.#rest += this.#decoder.decode(chunk, { stream: true });
    // A CR at the end may be the first half of a CRLF.
    const lines = this.#rest.split(/\r\n|\n|\r(?!$)/);
    this.#rest = lines.pop() ?? '';
    for (const line of lines) this.#take(line);
  }

  end(): void {
    this.#rest += this.#decoder.decode();
    if (this.#rest !== '') this.#take(this.#rest.replace(/\r$/, ''));
  }
}

/** Reads the text that a step printed on one stream. */
export function readLog(stdout: string): StepLog {
  const reader = new LogReader();
  const splitter = new LineSplitter((line) => reader.read(line));
  splitter.write(Buffer.from(stdout));
  splitter.end();
  return reader.log;
}
