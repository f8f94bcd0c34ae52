import leven from 'leven';
import { type Problems, quote } from './problems.ts';
import { withoutCase } from './suggestions.ts';

const TAIL_OR_ALL = 'write log_type: Tail for the last 4 KB of the log, or follow_log for all of it';

/** Names that mean one of our inputs or something that is not an input, and what to write instead. */
const OTHER_NAMES: Readonly<Record<string, string>> = {
  // gagoar/invoke-aws-lambda, and the access keys as aws-actions/configure-aws-credentials names them.
  aws_access_key_id: 'credentials',
  aws_secret_access_key: 'credentials',
  aws_session_token: 'credentials',
  role_to_assume: 'credentials',
  aws_region: 'region',
  aws_default_region: 'region',
  http_timeout: 'write timeout_seconds, in seconds',
  max_retries: 'write retry (safe, idempotent or never) and retry_seconds',
  succeed_on_function_failure: 'write fail_on_function_error, which means the opposite',
  // The AWS CLI's options, and its argument.
  cli_binary_format: 'remove it: payload is JSON text, and no format is needed',
  cli_read_timeout: 'write timeout_seconds',
  cli_connect_timeout: 'write timeout_seconds, which includes the time to connect',
  cli_input_json: 'write each parameter as an input of its own',
  cli_input_yaml: 'write each parameter as an input of its own',
  endpoint_url: 'set the environment variable AWS_ENDPOINT_URL_LAMBDA in env of the step',
  profile: 'set the environment variable AWS_PROFILE in env of the step',
  ca_bundle: 'set the environment variable NODE_EXTRA_CA_CERTS in env of the step',
  no_verify_ssl:
    'remove it: certificates are always verified. To trust a private certificate authority, set NODE_EXTRA_CA_CERTS in env of the step',
  outfile: 'response_file',
  // The option of `aws lambda invoke-async`, which names a file.
  invoke_args: 'payload_file',
  // Former names of this action's inputs, and synonyms that are too different to count as a typo.
  result_file: 'response_file',
  show_result: 'show_response',
  // Without these, a function would run in a way that was not asked for, and the step would be green. Names that jobs often
  // use for variables of their own, such as INPUT_VERSION, are not among them.
  dry_run: 'write invocation_type: DryRun',
  alias: 'qualifier',
  function_version: 'qualifier',
  lambda_name: 'function_name',
  lambda_function: 'function_name',
  assert: 'expect',
  asserts: 'expect',
  assertion: 'expect',
  assertions: 'expect',
  fail_on_error: 'fail_on_function_error',
  ignore_errors: 'write fail_on_function_error: false',
  expected: 'expect',
  expectation: 'expect',
  expectations: 'expect',
  function_arn: 'function_name',
  lambda_function_name: 'function_name',
  tail_log: TAIL_OR_ALL,
  tail_logs: TAIL_OR_ALL,
  show_log: TAIL_OR_ALL,
  show_logs: TAIL_OR_ALL,
  stream_log: 'follow_log',
  stream_logs: 'follow_log',
  wait_event: 'wait_for_event',
  await_event: 'wait_for_event',
  wait_for_completion: 'write wait_for_event, or for a durable execution wait_for_durable_execution',
  test_event_name: 'test_event',
  on_canceled: 'on_cancel',
  on_cancelled: 'on_cancel',
  on_cancellation: 'on_cancel',
  stop_on_fail: 'stop_on_failure',
  stop_on_error: 'stop_on_failure',
  stop_on_first_failure: 'stop_on_failure',
  event_file: 'payload_file',
  events_file: 'payload_file',
  payload_path: 'payload_file',
  entries: 'invocations',
  entries_file: 'invocations_file',
  invocations_path: 'invocations_file',
  journal_file: 'journal',
  journal_path: 'journal',
  fail_fast: 'write stop_on_failure: true',
  max_parallel: 'max_concurrency',
};

const CREDENTIALS =
  'credentials are not inputs. Add a step with aws-actions/configure-aws-credentials before this one, or set the variables in env of the job';

// A name that is much longer than any input is not a misspelled input.
const LONGEST_INPUT_NAME = 48;

const areSwapped = (one: string, other: string): boolean =>
  one.length === other.length &&
  [...one].some((letter, at) => {
    const [next = ''] = one.slice(at + 1);
    return next !== '' && `${one.slice(0, at)}${next}${letter}${one.slice(at + 2)}` === other;
  });

/**
 * Whether a name is so similar to an input that nothing else was meant. Short words are similar to many others ("task"
 * and "mask", "preload" and "payload"), so a replaced letter counts for more than a missing one in a short word.
 */
function readsLike(given: string, input: string): boolean {
  if (given === input || areSwapped(given, input)) return true;
  const distance = leven(given, input);
  if (input.length > 7) return distance <= 2;
  const hasOtherLength = given.length !== input.length;
  if (input.length === 7) return distance === 1 || (distance === 2 && hasOtherLength);
  return distance === 1 && given[0] === input[0] && (hasOtherLength || input.length === 6);
}

const OTHERS = new Map(Object.entries(OTHER_NAMES).map(([name, means]) => [withoutCase(name), means]));

/** What to do about a name that is not declared; undefined if it is not similar to any input. */
function correction(name: string, declared: readonly string[]): string | undefined {
  if (name.length > LONGEST_INPUT_NAME) return undefined;
  const given = withoutCase(name);
  const other = OTHERS.get(given);
  if (other === 'credentials') return CREDENTIALS;
  if (other !== undefined) return declared.includes(other) ? `write ${other}` : other;
  const [nearest] = declared
    .filter((input) => readsLike(given, withoutCase(input)))
    .sort((one, two) => leven(given, withoutCase(one)) - leven(given, withoutCase(two)));
  return nearest === undefined ? undefined : `write ${nearest}`;
}

/**
 * Adds a problem for each undeclared name that is similar to a declared input. A runner only warns about such a name,
 * and the step would run without the input. `undeclared` has names after `INPUT_`, in capitals if a runner set them.
 */
export function checkInputNames(
  undeclared: readonly string[],
  declared: readonly string[],
  problems: Problems,
): void {
  for (const name of undeclared) {
    const fix = correction(name, declared);
    if (fix === undefined) continue;
    const what =
      name === name.toUpperCase()
        ? `There is no input ${quote(name.toLowerCase())}`
        : `The environment variable ${quote(`INPUT_${name}`)} is not an input`;
    problems.add(`${what}: ${fix}.`);
  }
}
