import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { checkInputNames } from '../../../src/inputs/misspelled.ts';
import { Problems } from '../../../src/inputs/problems.ts';
import { INPUT_NAMES } from '../../../src/inputs/schema.ts';
import { createJob, problemsFor } from './factory.ts';
import { UNRELATED_NAMES } from './unrelated-names.ts';

/** The problems of a step with these keys under `with:`. A runner passes the keys in upper case. */
async function problemsOf(...keys: readonly string[]): Promise<readonly string[]> {
  const job = await createJob();
  const inputNames = keys.map((key) => key.replaceAll(' ', '_').toUpperCase());
  return problemsFor({}, { ...job, environment: { ...job.environment, inputNames } });
}

const told = (key: string, fix: string): string =>
  `There is no input ${JSON.stringify(key.toLowerCase())}: ${fix}.`;

describe('an undeclared input is rejected', () => {
  test.each([
    // With dashes, as in other actions.
    ['function-name', 'function_name'],
    ['payload-file', 'payload_file'],
    ['invocation-type', 'invocation_type'],
    ['github-token', 'github_token'],
    ['comment-on-pull-request', 'comment_on_pull_request'],
    // Camel case.
    ['functionName', 'function_name'],
    ['timeoutSeconds', 'timeout_seconds'],
    ['failOnFunctionError', 'fail_on_function_error'],
    // One or two letters off.
    ['payloads', 'payload'],
    ['paylaod', 'payload'],
    ['paylod', 'payload'],
    ['functoin_name', 'function_name'],
    ['function_names', 'function_name'],
    ['log_typ', 'log_type'],
    ['timeout_second', 'timeout_seconds'],
    ['invocation', 'invocations'],
    ['regions', 'region'],
    ['rigion', 'region'],
    ['expects', 'expect'],
    ['epxect', 'expect'],
    ['expected', 'expect'],
    ['masks', 'mask'],
    ['maks', 'mask'],
    ['retrys', 'retry'],
    ['rety', 'retry'],
    ['querry', 'query'],
    ['shards', 'shard'],
    ['repeats', 'repeat'],
    ['summmary', 'summary'],
    ['tenant', 'tenant_id'],
    ['wait_untill_ready', 'wait_until_ready'],
    // Former names of this action's inputs.
    ['result_file', 'response_file'],
    ['show_result', 'show_response'],
    // Words for the inputs of lists.
    ['payload-files', 'payload_file'],
    ['events_file', 'payload_file'],
    ['invocation-file', 'invocations_file'],
    ['entries', 'invocations'],
    ['entries-file', 'invocations_file'],
    ['journal_path', 'journal'],
    ['max-parallel', 'max_concurrency'],
    ['fail-fast', 'stop_on_failure: true'],
    // The file of `aws lambda invoke-async`.
    ['invoke-args', 'payload_file'],
    // gagoar/invoke-aws-lambda.
    ['FunctionName', 'function_name'],
    ['InvocationType', 'invocation_type'],
    ['LogType', 'log_type'],
    ['ClientContext', 'client_context'],
    // The AWS CLI.
    ['--function-name', 'function_name'],
    ['log-type', 'log_type'],
    ['client-context', 'client_context'],
    ['--tenant-id', 'tenant_id'],
    ['durable-execution-name', 'durable_execution_name'],
    ['outfile', 'response_file'],
    ['aws-region', 'region'],
    // Words that are further off than a slip of the finger.
    ['stream_logs', 'follow_log'],
    ['wait_event', 'wait_for_event'],
    ['test-event-name', 'test_event'],
    ['on_cancelled', 'on_cancel'],
    ['onCancellation', 'on_cancel'],
    ['stop_on_error', 'stop_on_failure'],
    ['stop_on_fail', 'stop_on_failure'],
    ['journal_file', 'journal'],
    ['journal-path', 'journal'],
    ['max-parallel', 'max_concurrency'],
    // Words that would change what runs.
    ['dry-run', 'invocation_type: DryRun'],
    ['alias', 'qualifier'],
    ['assert', 'expect'],
    ['fail-on-error', 'fail_on_function_error'],
    ['ignoreErrors', 'fail_on_function_error: false'],
  ])('%s: write %s', async (key, input) => {
    expect(await problemsOf(key)).toEqual([told(key, `write ${input}`)]);
  });

  const credentials =
    'credentials are not inputs. Add a step with aws-actions/configure-aws-credentials before this one, or set the variables in env of the job';

  test.each([
    ['AWS_ACCESS_KEY_ID', credentials],
    ['AWS_SECRET_ACCESS_KEY', credentials],
    ['aws-session-token', credentials],
    ['role-to-assume', credentials],
    ['HTTP_TIMEOUT', 'write timeout_seconds, in seconds'],
    ['MAX_RETRIES', 'write retry (safe, idempotent or never) and retry_seconds'],
    ['SUCCEED_ON_FUNCTION_FAILURE', 'write fail_on_function_error, which means the opposite'],
    ['cli-binary-format', 'remove it: payload is JSON text, and no format is needed'],
    ['--cli-read-timeout', 'write timeout_seconds'],
    ['endpoint-url', 'set the environment variable AWS_ENDPOINT_URL_LAMBDA in env of the step'],
    ['profile', 'set the environment variable AWS_PROFILE in env of the step'],
    ['show_log', 'write log_type: Tail for the last 4 KB of the log, or follow_log for all of it'],
    ['wait-for-completion', 'write wait_for_event, or for a durable execution wait_for_durable_execution'],
  ])('%s gets a hint', async (key, fix) => {
    expect(await problemsOf(key)).toEqual([told(key, fix)]);
  });

  test('with all the other problems', async () => {
    const job = await createJob();
    const environment = { ...job.environment, inputNames: ['FUNCTION-NAME', 'EXPECTS'] };
    expect(await problemsFor({ region: 'europe' }, { ...job, environment })).toEqual([
      told('function-name', 'write function_name'),
      told('expects', 'write expect'),
      expect.stringMatching(/^region must be/),
    ]);
  });

  test('if a job sets it as a lowercase variable, which is never read', async () => {
    const job = await createJob();
    const environment = { ...job.environment, inputNames: ['function_name'] };
    expect(await problemsFor({}, { ...job, environment })).toEqual([
      'The environment variable "INPUT_function_name" is not an input: write function_name.',
    ]);
  });
});

describe('an input is accepted', () => {
  test('that is declared', async () => {
    expect(await problemsOf(...INPUT_NAMES)).toEqual([]);
  });

  test('with a space, which a runner passes as an underscore', async () => {
    expect(await problemsOf('function name')).toEqual([]);
  });

  test.each(UNRELATED_NAMES)('%s, which is not similar to any input of this action', async (name) => {
    expect(await problemsOf(name)).toEqual([]);
  });

  test.each(['event', 'concurrency', 'logs'])(
    "%s, which can be a job's own variable for something else",
    async (name) => {
      expect(await problemsOf(name)).toEqual([]);
    },
  );

  test('that is much longer than any input of this action', async () => {
    expect(await problemsOf(`function_name${'_'.repeat(100_000)}`)).toEqual([]);
  });
});

const problemsIn = (name: string): readonly string[] => {
  const problems = new Problems();
  checkInputNames([name.toUpperCase()], INPUT_NAMES, problems);
  return problems.error?.problems ?? [];
};

/** Other spellings of a snake_case name. */
const SPELLINGS: readonly ((name: string) => string)[] = [
  (name) => name.replaceAll('_', '-'),
  (name) => name.replaceAll('_', ''),
  (name) => `--${name.replaceAll('_', '-')}`,
  (name) => `${name}_`,
];

test('every declared name is recognized in other spellings, and with one letter missing or doubled', () => {
  fc.assert(
    fc.property(
      fc.constantFrom(...INPUT_NAMES),
      fc.nat(),
      fc.constantFrom(...SPELLINGS),
      (name, position, spell) => {
        // Without its first letter, a short word becomes a different word.
        const at = 1 + (position % (name.length - 1));
        const missing = name.slice(0, at) + name.slice(at + 1);
        const twice = name.slice(0, at) + name.slice(at - 1);
        for (const key of [spell(name), missing, twice]) {
          if (INPUT_NAMES.some((other) => other === key)) continue;
          expect(problemsIn(key)).toEqual([told(key, `write ${name}`)]);
        }
      },
    ),
  );
});
