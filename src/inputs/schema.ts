/** The words of the Invoke API, as `invocation_type` takes them (source: Invoke API, InvocationType). */
export const INVOCATION_TYPES = ['RequestResponse', 'Event', 'DryRun'] as const;
/** Whether Lambda returns the log tail (source: Invoke API, LogType). */
export const LOG_TYPES = ['None', 'Tail'] as const;
/** What may be sent again (docs/reliability.md). */
export const RETRY_POLICIES = ['safe', 'idempotent', 'never'] as const;

/**
 * Every input and its default, in the order of `action.yml`, which a test holds against this table.
 * The empty string is "not given", as a runner passes it.
 */
export const INPUT_DEFAULTS = {
  function_name: '',
  payload: '',
  payload_file: '',
  qualifier: '',
  invocation_type: 'RequestResponse',
  log_type: 'None',
  client_context: '',
  tenant_id: '',
  durable_execution_name: '',
  region: '',
  invocations: '',
  repeat: '1',
  max_concurrency: '',
  shard: '',
  timeout_seconds: '960',
  retry: 'safe',
  retry_seconds: '180',
  wait_until_ready: 'false',
  fail_on_function_error: 'true',
  expect: '',
  query: '',
  show_response: 'false',
  mask: '',
  response_file: '',
  summary: 'true',
  comment_on_pull_request: 'false',
  comment_key: '',
  // action.yml's default is the expression for the job's own token.
  github_token: '',
  wait_for_durable_execution: 'false',
  response_stream: 'false',
} as const;

/** A declared input. */
export type InputName = keyof typeof INPUT_DEFAULTS;

/** The names of all declared inputs. */
export const INPUT_NAMES: readonly string[] = Object.keys(INPUT_DEFAULTS);

/** Gives an input's text as the runner hands it over: trimmed, the default where it was not given. */
export type InputReader = (name: InputName) => string;
