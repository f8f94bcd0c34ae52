import { isQualifier, isRegion } from '../shared/arn.ts';
import {
  anyText,
  flag,
  matching,
  oneOf,
  optional,
  type ParseInput,
  shard,
  wholeNumber,
  wholeSeconds,
} from './input-types.ts';
import type { Problems } from './problems.ts';
import { explainQualifier, explainRegion } from './suggestions.ts';

/** One declared input: how its text is parsed, and the text that is used if it is not given. */
export type Input<Value> = Readonly<{
  parse: ParseInput<Value>;
  default: string;
  /** Whether an entry of `invocations` can set it. */
  isPerEntry: boolean;
  /** Whether white space around the text is kept: YAML needs it, and so do line numbers in messages. */
  keepsWhiteSpace?: true;
}>;

const step = <Value>(parse: ParseInput<Value>, preset = '') =>
  ({ parse, default: preset, isPerEntry: false }) as const satisfies Input<Value>;
const entry = <Value>(parse: ParseInput<Value>, preset = '') =>
  ({ parse, default: preset, isPerEntry: true }) as const satisfies Input<Value>;

// Five days, the longest time that a job on a self-hosted runner can take.
const LONGEST_SECONDS = 432_000;
const MOST_COPIES = 10_000;
const MOST_CONCURRENT = 1_000;

// The words and limits of the Invoke API's model (members InvocationType, LogType, Qualifier, TenantId and
// DurableExecutionName).
const INVOCATION_TYPE = oneOf(['RequestResponse', 'Event', 'DryRun']);
const LOG_TYPE = oneOf(['None', 'Tail']);
const QUALIFIER = matching({
  matches: isQualifier,
  longest: 128,
  form: (longest) =>
    `a version (7), an alias (PROD) or $LATEST: letters, digits, - and _, at most ${longest}`,
  explain: explainQualifier,
});
const TENANT_ID = matching({
  matches: (id) => /^[a-zA-Z0-9._:/=+\-@ ]+$/.test(id),
  longest: 256,
  form: (longest) => `1 to ${longest} letters, digits, spaces or . _ : / = + - @`,
});
const EXECUTION_NAME = matching({
  matches: (name) => /^[a-zA-Z0-9-_]+$/.test(name),
  longest: 64,
  form: (longest) => `1 to ${longest} letters, digits, - or _`,
});
const HTTP_EVENT = oneOf(['2.0', '1.0', 'alb']);
const REGION = matching({
  matches: isRegion,
  longest: Number.POSITIVE_INFINITY,
  form: () => 'the code of an AWS region, for example eu-west-1',
  explain: explainRegion,
});
/** The format of an HTTP event. A runner reads the YAML number 2.0 as the text "2". */
const httpEventFormat: typeof HTTP_EVENT = (given) => HTTP_EVENT(/^[12]$/.test(given) ? `${given}.0` : given);
/** What to do with a durable execution that is no longer followed. */
const ON_CANCEL = oneOf(['leave', 'stop']);
/** Which failures are retried (docs/reliability.md). */
const RETRY = oneOf(['safe', 'idempotent', 'never']);

/**
 * Every input, in the order of `action.yml`, with its name, type, bounds and default. A test compares this table with
 * `action.yml`. A default of '' means no default. A text that is parsed later, such as JSON or a path, is a text here.
 */
export const INPUTS = {
  // What to invoke.
  function_name: entry(anyText),
  payload: entry(anyText),
  payload_file: entry(anyText),
  qualifier: entry(optional(QUALIFIER)),
  // The default is the type of the test event, or else RequestResponse.
  invocation_type: entry(optional(INVOCATION_TYPE)),
  log_type: entry(LOG_TYPE, 'None'),
  client_context: entry(anyText),
  tenant_id: entry(optional(TENANT_ID)),
  durable_execution_name: entry(optional(EXECUTION_NAME)),
  region: entry(optional(REGION)),
  http_request: { ...entry(anyText), keepsWhiteSpace: true },
  http_event: entry(httpEventFormat, '2.0'),
  test_event: entry(anyText),
  // Many at once.
  invocations: { ...step(anyText), keepsWhiteSpace: true },
  invocations_file: step(anyText),
  repeat: step(wholeNumber({ least: 1, most: MOST_COPIES }), '1'),
  max_concurrency: step(optional(wholeNumber({ least: 1, most: MOST_CONCURRENT }))),
  stop_on_failure: step(flag, 'false'),
  shard: step(shard),
  journal: step(anyText),
  // How long and how often.
  timeout_seconds: entry(wholeSeconds({ least: 1, most: LONGEST_SECONDS }), '960'),
  retry: step(RETRY, 'safe'),
  retry_seconds: step(wholeSeconds({ least: 0, most: LONGEST_SECONDS }), '180'),
  wait_until_ready: step(flag, 'false'),
  // What counts as success.
  fail_on_function_error: step(flag, 'true'),
  // The expectations of an entry are checked in addition to the step's.
  expect: entry(anyText),
  query: step(anyText),
  wait_for_event: step(flag, 'false'),
  wait_for_durable_execution: step(flag, 'false'),
  on_cancel: step(ON_CANCEL, 'leave'),
  // What is shown and kept.
  follow_log: step(flag, 'false'),
  show_response: step(flag, 'false'),
  mask: step(anyText),
  response_file: step(anyText),
  response_stream: step(flag, 'false'),
  summary: step(flag, 'true'),
  comment_on_pull_request: step(flag, 'false'),
  comment_key: step(anyText),
  // The default in action.yml is the expression for the job's own token.
  github_token: step(anyText),
} as const;

/** The name of a declared input. */
export type InputName = keyof typeof INPUTS;

/** The values of all inputs, each of the type that the table gives it. */
export type InputValues = {
  readonly [Name in InputName]: (typeof INPUTS)[Name] extends Input<infer Value> ? Value : never;
};

/** The name of an input that an entry of `invocations` can set. */
export type EntryInput = {
  [Name in InputName]: (typeof INPUTS)[Name]['isPerEntry'] extends true ? Name : never;
}[InputName];

/** A key of an entry: an input, or `name`, which the log, the summary and the outcome show. */
export type EntryKey = EntryInput | 'name';

/** The values of an entry's inputs, its own or the step's. */
export type EntryValues = Pick<InputValues, EntryInput>;

/** Returns an input's text as the runner passes it: trimmed, or the default if it was not given. */
export type InputReader = (name: InputName) => string;

const TABLE: { readonly [Name in InputName]: Input<InputValues[Name]> } = INPUTS;

const isInputName = (name: string): name is InputName => Object.hasOwn(INPUTS, name);
/** Whether an entry can set an input. */
export const isEntryInput = (name: InputName): name is EntryInput => INPUTS[name].isPerEntry;

/** The names of all inputs, in the order of the table. */
export const INPUT_NAMES: readonly InputName[] = Object.keys(INPUTS).filter(isInputName);
/** The names of the inputs that an entry can set. */
export const ENTRY_INPUTS: readonly EntryInput[] = INPUT_NAMES.filter(isEntryInput);

/** The inputs that define the event. An invocation has one of them. */
export const EVENT_INPUTS = [
  'payload',
  'payload_file',
  'http_request',
  'test_event',
] as const satisfies readonly EntryInput[];

/** Whether white space around an input's text is kept. */
export const keepsWhiteSpace = (name: InputName): boolean => TABLE[name].keepsWhiteSpace === true;

/** The keys that an entry may have. */
export const ENTRY_KEYS: readonly EntryKey[] = ['name', ...ENTRY_INPUTS];

const areComplete = <Name extends InputName>(
  values: Partial<InputValues>,
  names: readonly Name[],
): values is Partial<InputValues> & Pick<InputValues, Name> => names.every((name) => name in values);

/**
 * Parses inputs. An invalid input becomes a problem and gets its default value, so that other problems are found too.
 */
export function parseInputs<Name extends InputName>(
  names: readonly Name[],
  { read, problemsFor }: { read: InputReader; problemsFor: (name: InputName) => Problems },
): Pick<InputValues, Name> {
  const values: { -readonly [Name in InputName]?: InputValues[Name] } = {};
  const parse = <One extends InputName>(name: One): void => {
    const { parse: toValue, default: preset } = TABLE[name];
    const parsed = toValue(read(name));
    if ('problem' in parsed) problemsFor(name).add(`${name} ${parsed.problem}`);
    const valid = 'value' in parsed ? parsed : toValue(preset);
    if ('value' in valid) values[name] = valid.value;
  };
  names.forEach(parse);
  if (!areComplete(values, names)) throw new TypeError('the default of an input is not valid');
  return values;
}
