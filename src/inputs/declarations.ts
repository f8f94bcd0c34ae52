/** The words of the Invoke API, as the inputs take them (source: lambda-invoke API, InvocationType and LogType). */
export const INVOCATION_TYPES = ['RequestResponse', 'Event', 'DryRun'] as const;
export const LOG_TYPES = ['None', 'Tail'] as const;

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
  region: '',
  fail_on_function_error: 'true',
  show_response: 'false',
  summary: 'true',
} as const;

export type InputName = keyof typeof INPUT_DEFAULTS;

/** Gives an input's text as the runner hands it over: trimmed, the default where it was not given. */
export type InputReader = (name: InputName) => string;
