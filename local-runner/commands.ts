/** Something that a runner took out of a step's standard output. */
export type Annotation = Readonly<{ level: 'error' | 'warning' | 'notice'; title: string; message: string }>;

/** A line of the log as a browser shows it: foldable groups, annotations in their colour, secrets masked. */
export type LogLine = Readonly<{
  kind: 'text' | 'group' | 'error' | 'warning' | 'notice' | 'debug';
  text: string;
  depth: number;
}>;

/** What a step's standard output comes to by the runner's rules. */
export type StepLog = Readonly<{
  lines: readonly LogLine[];
  annotations: readonly Annotation[];
  masks: readonly string[];
  /** Every command that was carried out, by name, in order. */
  commands: readonly string[];
}>;

type Command = Readonly<{ name: string; properties: Readonly<Record<string, string>>; data: string }>;

const unescapeData = (text: string): string =>
  text.replaceAll('%0D', '\r').replaceAll('%0A', '\n').replaceAll('%25', '%');
const unescapeProperty = (text: string): string =>
  unescapeData(text.replaceAll('%3A', ':').replaceAll('%2C', ','));

function parseProperties(text: string, separator: string): Record<string, string> {
  const pairs = text
    .split(separator)
    .map((pair) => pair.trim())
    .filter((pair) => pair.includes('='));
  return Object.fromEntries(
    pairs.map((pair) => {
      const at = pair.indexOf('=');
      return [pair.slice(0, at), unescapeProperty(pair.slice(at + 1))] as const;
    }),
  );
}

/** `::name key=value,key=value::data`, after optional white space, and `##[name key=value;]data` anywhere in a line. */
function parseCommand(line: string): Command | undefined {
  const v2 = /^\s*::([^\s:]+)(?:\s+(.*?))?::(.*)$/su.exec(line);
  if (v2) {
    const [, name = '', properties = '', data = ''] = v2;
    return { name, properties: parseProperties(properties, ','), data: unescapeData(data) };
  }
  const v1 = /##\[([^\s\]]+)(?:\s+([^\]]*))?\](.*)$/su.exec(line);
  if (v1) {
    const [, name = '', properties = '', data = ''] = v1;
    return { name, properties: parseProperties(properties, ';'), data: unescapeData(data) };
  }
  return undefined;
}

const isAnnotationLevel = (name: string): name is Annotation['level'] =>
  name === 'error' || name === 'warning' || name === 'notice';

/** Reads a step's standard output as a runner does. A lone carriage return ends a line too. */
export function readLog(stdout: string): StepLog {
  const lines: LogLine[] = [];
  const annotations: Annotation[] = [];
  const masks: string[] = [];
  const commands: string[] = [];
  let stopToken: string | undefined;
  let depth = 0;

  const masked = (text: string): string =>
    masks.reduce((shown, secret) => shown.replaceAll(secret, '***'), text);
  const show = (kind: LogLine['kind'], text: string): void => {
    lines.push({ kind, text: masked(text), depth: kind === 'group' ? 0 : depth });
  };

  for (const line of stdout.replace(/\r?\n$/, '').split(/\r\n|\n|\r/)) {
    if (stopToken !== undefined) {
      if (line.trim() === `::${stopToken}::`) stopToken = undefined;
      else show('text', line);
      continue;
    }
    const command = parseCommand(line);
    if (command === undefined) {
      if (line !== '' || depth > 0) show('text', line);
      continue;
    }
    commands.push(command.name);
    if (command.name === 'stop-commands') stopToken = command.data;
    else if (command.name === 'add-mask') {
      masks.push(...command.data.split(/\r?\n/).filter((part) => part !== ''));
    } else if (command.name === 'group') {
      show('group', command.data);
      depth = 1;
    } else if (command.name === 'endgroup') depth = 0;
    else if (command.name === 'debug') show('debug', command.data);
    else if (isAnnotationLevel(command.name)) {
      const title = command.properties['title'] ?? '';
      annotations.push({ level: command.name, title: masked(title), message: masked(command.data) });
      show(command.name, command.data);
    }
  }
  return { lines, annotations, masks, commands };
}

/** Reads the file that `GITHUB_OUTPUT` names: `name=value` lines, and values between `name<<DELIMITER` lines. */
export function readOutputs(file: string): Record<string, string> {
  const outputs: Record<string, string> = {};
  const lines = file.split(/\r?\n/);
  for (let at = 0; at < lines.length; at += 1) {
    const line = lines[at] ?? '';
    const heredoc = /^([^=]+?)<<(.+)$/.exec(line);
    if (heredoc) {
      const [, name = '', delimiter = ''] = heredoc;
      const end = lines.indexOf(delimiter, at + 1);
      if (end === -1) throw new Error(`the output ${name} has no end`);
      outputs[name] = lines.slice(at + 1, end).join('\n');
      at = end;
    } else if (line.includes('=')) {
      outputs[line.slice(0, line.indexOf('='))] = line.slice(line.indexOf('=') + 1);
    } else if (line !== '') {
      throw new Error(`not a line of an output file: ${line.slice(0, 40)}`);
    }
  }
  return outputs;
}
