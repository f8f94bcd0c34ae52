import { isDeepStrictEqual } from 'node:util';
import { stringify } from 'yaml';
import type { LambdaRequest } from '../../packages/local-lambda/server.ts';
import type { Annotation, LogLine } from '../../packages/local-runner/commands.ts';
import { fieldsOf } from '../../src/shared/values.ts';
import { withPlaceholders } from './placeholders.ts';
import type { Evidence } from './run-scenario.ts';
import type { Scenario } from './scenarios.ts';

const NONE = 'None.';

/** A fenced block whose fence is longer than any in the text. */
function fenced(language: string, text: string): string {
  const longest = Math.max(2, ...[...text.matchAll(/`{3,}/g)].map(([run]) => run.length));
  const fence = '`'.repeat(longest + 1);
  return [`${fence}${language}`, text.trimEnd(), fence].join('\n');
}

/** Markdown as a block quote, so that GitHub renders it inside the transcript. */
const quoted = (markdown: string): string =>
  markdown.trim() === '' ? NONE : markdown.trim().replace(/^/gm, '> ');

const ANNOTATION_LEVELS = { error: 'Error', warning: 'Warning', notice: 'Notice' } as const;

function logLine({ kind, text, depth }: LogLine): string[] {
  switch (kind) {
    case 'group':
      return [`▾ ${text}`];
    case 'text':
      return [text.replace(/^/gm, '  '.repeat(depth))];
    // A runner shows debug lines only when debug logging is on.
    case 'debug':
      return [];
    case 'error':
    case 'warning':
    case 'notice':
      return [`${ANNOTATION_LEVELS[kind]}: ${text}`];
    default:
      return kind satisfies never;
  }
}

const PROGRESS = /^(\[\d+\/\d+\]) (.*\bentry (\d+)\b.*)$/;

/** Concurrent invocations end in any order, so their lines are put in the order of the entries. */
function inOrderOfEntries(lines: readonly string[]): string[] {
  const ended = lines
    .flatMap((line) => {
      const [, , text, entry] = PROGRESS.exec(line) ?? [];
      return text === undefined ? [] : [{ text, entry: Number(entry) }];
    })
    .toSorted((a, b) => a.entry - b.entry)
    .values();
  return lines.map((line) => {
    const [, counter] = PROGRESS.exec(line) ?? [];
    return counter === undefined ? line : `${counter} ${ended.next().value?.text}`;
  });
}

function log({ step }: Evidence): string {
  const masks = step.masks.map((mask) => `- The runner masks \`${mask}\`.`);
  return [
    fenced('text', inOrderOfEntries(step.lines.flatMap(logLine)).join('\n')),
    ...(masks.length > 0 ? [masks.join('\n')] : []),
    ...(step.stderr === '' ? [] : ['On stderr:', fenced('text', step.stderr)]),
  ].join('\n\n');
}

const annotation = ({ level, title, message }: Annotation): string =>
  [`**${[ANNOTATION_LEVELS[level], title].filter(Boolean).join(': ')}**`, fenced('text', message)].join(
    '\n\n',
  );

/** Outcomes as JSON: a single one with one field per line, several with one outcome per line. */
function listed(list: readonly unknown[], replacer?: (key: string, value: unknown) => unknown): string {
  return list.length === 1
    ? JSON.stringify(list, replacer, 2)
    : ['[', list.map((outcome) => `  ${JSON.stringify(outcome, replacer)}`).join(',\n'), ']'].join('\n');
}

function outcomes({ step }: Evidence): readonly unknown[] {
  const list: unknown = JSON.parse(step.outputs['outcomes'] || '[]');
  return Array.isArray(list) ? list : [list];
}

/** One output. Multiline text is not repeated in the list of outcomes. */
function output([name, value]: readonly [string, string], evidence: Evidence): string {
  const { outputs: others } = evidence.step;
  const text =
    name === 'outcomes'
      ? listed(outcomes(evidence), (key, field) =>
          typeof field === 'string' && field.includes('\n') && field === others[key]
            ? '{as in the output}'
            : field,
        )
      : value.trimEnd();
  return text.includes('\n') ? `${name}:\n${text.replace(/^/gm, '  ')}` : `${name}: ${text}`;
}

/** The outcomes in their file, if they differ from the output. */
function outcomesFile(evidence: Evidence): string[] {
  const lines = evidence.step.outcomeLines.map((line): unknown => JSON.parse(line));
  const kept = lines.toSorted((a, b) => indexOf(a) - indexOf(b));
  return isDeepStrictEqual(kept, outcomes(evidence))
    ? []
    : ['The outcomes file differs:', fenced('text', listed(kept))];
}
const indexOf = (outcome: unknown): number => Number(fieldsOf(outcome)['index']);

function outputs(evidence: Evidence): string {
  const given = Object.entries(evidence.step.outputs).filter(([, value]) => value !== '');
  if (given.length === 0) return NONE;
  const shown = given.map((entry) => output(entry, evidence)).join('\n');
  return [fenced('text', shown), ...outcomesFile(evidence)].join('\n\n');
}

/** Headers of a signed request that say nothing about the invocation. */
const PLAIN_HEADERS: ReadonlySet<string> = new Set([
  'amz-sdk-invocation-id',
  'amz-sdk-request',
  'authorization',
  'connection',
  'content-length',
  'content-type',
  'host',
  'user-agent',
  'x-amz-content-sha256',
  'x-amz-date',
  'x-amz-user-agent',
]);

function requestHead({ method, path, query, headers }: LambdaRequest): string {
  const parameters = Object.entries(query).map(([name, value]) => `${name}=${value}`);
  const target = [decodeURIComponent(path), parameters.join('&')].filter(Boolean).join('?');
  const shown = Object.entries(headers).filter(([name]) => !PLAIN_HEADERS.has(name));
  const head = [`${method} ${target}`, ...shown.map(([name, value]) => `${name}: ${value}`)];
  return withPlaceholders(head.join('\n'), []);
}

const times = (count: number): string => ['never', 'once', 'twice'][count] ?? `${count} times`;

/** Requests that differ only in their bodies, as one block. A repeated body is omitted. */
function requestBlock([head, requests]: readonly [string, readonly LambdaRequest[]]): string {
  const bodies = requests
    .map(({ body }) => String(body))
    .filter((body, at, all) => body !== '' && body !== all[at - 1]);
  return [
    ...(requests.length > 1 ? [`Sent ${times(requests.length)}:`] : []),
    fenced('http', [head, ...(bodies.length > 0 ? ['', ...bodies] : [])].join('\n')),
  ].join('\n\n');
}

/** CloudWatch Logs has one path for every operation, and this project only reads from it. */
const reads = ({ method, headers }: LambdaRequest): boolean =>
  method === 'GET' || headers['x-amz-target']?.startsWith('Logs_') === true;

function requests({ requests: all }: Evidence): string {
  const { changes = [], polls = [] } = Object.groupBy(all, (request) =>
    reads(request) ? 'polls' : 'changes',
  );
  const heads = [...new Set(polls.map(requestHead))];
  return [
    ...[...Map.groupBy(changes, requestHead)].map(requestBlock),
    // The number of polls depends on how long the state takes to change.
    ...(heads.length > 0 ? ['Read once or more:', fenced('http', heads.join('\n'))] : []),
    ...(all.length === 0 ? [NONE] : []),
  ].join('\n\n');
}

function ending({ step, executions }: Evidence): string {
  const ran = [...executions].map(([name, count]) => `\`${name}\` ran ${times(count)}.`);
  const exit = step.signal === null ? `Exit code ${step.exitCode}.` : `Ended by ${step.signal}.`;
  return [exit, ...(ran.length > 0 ? ran : ['No function ran.'])].join(' ');
}

const title = (name: string): string => {
  const words = name.replaceAll('-', ' ');
  return `${words.charAt(0).toUpperCase()}${words.slice(1)}`;
};

/** The step as a user writes it: numbers and booleans without quotes. */
function step({ with: inputs }: Scenario): string {
  const values = Object.entries(inputs).map(
    ([name, text]) => [name, /^(?:true|false|\d+)$/.test(text) ? JSON.parse(text) : text] as const,
  );
  return stringify([{ uses: 'OWNER/aws-lambda-invoke@v1', with: Object.fromEntries(values) }], {
    lineWidth: 0,
    singleQuote: true,
  });
}

/** What a user sees of a scenario, as a page of Markdown that is the same in every run. */
export function transcribe(name: string, scenario: Scenario, evidence: Evidence): string {
  const { annotations, summary } = evidence.step;
  const sections = [
    `# ${title(name)}\n\n${scenario.story}`,
    `## Step\n\n${fenced('yaml', step(scenario))}`,
    `## Log\n\n${log(evidence)}`,
    `## Annotations\n\n${annotations.length === 0 ? NONE : annotations.map(annotation).join('\n\n')}`,
    `## Summary\n\n${quoted(summary)}`,
    ...evidence.comments.map((comment) => `## Comment on the pull request\n\n${quoted(comment)}`),
    `## Outputs\n\n${outputs(evidence)}`,
    `## Requests to AWS\n\n${requests(evidence)}`,
    `## Exit code and executions\n\n${ending(evidence)}`,
  ];
  const text = withPlaceholders(sections.join('\n\n'), evidence.folders);
  return `${text.replace(/[^\S\n]+$/gm, '')}\n`;
}
