import type { ProxyVariables } from '../lambda/agents.ts';
import type { Invocations } from '../lambda/invocation.ts';
import type { InvokePolicy } from '../lambda/invoker.ts';
import type { Expressions } from '../outcome/expectations.ts';
import { checkAwsSettings } from './aws-settings.ts';
import { type Entries, parseEntries } from './entries.ts';
import type { Environment } from './environment.ts';
import { parseExpressions } from './expressions.ts';
import { type JobFolders, type OutputFile, parseOutputFile } from './files.ts';
import type { EventStamp } from './http-event.ts';
import { Problems } from './problems.ts';
import { parseProxy } from './proxy.ts';
import { type CommentPlan, planComment } from './pull-request.ts';
import { STEP_ERRORS, STEP_WARNINGS, type StepFacts } from './rules.ts';
import { INPUT_NAMES, type InputReader, type InputValues, parseInputs } from './schema.ts';
import type { OpenTestEvents } from './test-event.ts';

/** What to invoke, and how. */
export type InvokePlan = Readonly<{
  invocations: Invocations;
  /** The highest number of concurrent attempts. */
  maxConcurrency: number;
  policy: InvokePolicy;
  stopOnFailure: boolean;
  waitUntilReady: boolean;
  waitForEvent: boolean;
  waitForDurableExecution: boolean;
  /** What to do with a durable execution when the workflow is cancelled or the time is over. */
  onCancel: InputValues['on_cancel'];
  responseStream: boolean;
  proxy: ProxyVariables;
  /** The region in AWS_REGION, used for an invocation that names no region. */
  jobRegion?: string;
  /** The region that is used if the SDK's chain finds none. */
  defaultRegion?: string;
}>;

/** What counts as success. */
export type EvaluationPlan = Readonly<{ expressions: Expressions; failOnFunctionError: boolean }>;

/** What is shown and kept. */
export type ReportPlan = Readonly<{
  followLog: boolean;
  showResponse: boolean;
  writeSummary: boolean;
  /** Absolute path for the response. */
  responseFile: string | undefined;
  /** Absolute path of the journal; absent if none is kept. */
  journalFile?: string;
  /** Absent if no comment is wanted. */
  comment?: CommentPlan;
  /** Warnings about inputs that are valid. */
  warnings: readonly string[];
  notes: readonly string[];
}>;

/** What the step will do: checked, complete and frozen. No later code reads an input. */
export type Plan = InvokePlan & EvaluationPlan & ReportPlan;

const USUAL_CONCURRENCY = 10;
// By default, an account has 1,000 concurrent executions, which its other functions need too.
const MOST_USUAL_CONCURRENCY = 100;

/** The concurrency if none is given: with `repeat`, high enough for the copies of all entries to overlap. */
function usualConcurrency({ repeat }: Pick<InputValues, 'repeat'>, copies: number): number {
  if (repeat === 1) return USUAL_CONCURRENCY;
  return Math.min(MOST_USUAL_CONCURRENCY, Math.max(USUAL_CONCURRENCY, copies));
}

const ALWAYS_VERIFIED =
  'NODE_TLS_REJECT_UNAUTHORIZED=0 is ignored: certificates are always verified. To trust a private certificate authority, set NODE_EXTRA_CA_CERTS to the file with its certificate.';

function planInvocations(
  values: InputValues,
  parts: Pick<InvokePlan, 'invocations' | 'maxConcurrency' | 'proxy'>,
): InvokePlan {
  const { timeout_seconds: timeoutMs, retry, retry_seconds: retryMs } = values;
  return {
    ...parts,
    policy: Object.freeze({ timeoutMs, retry, retryMs }),
    waitUntilReady: values.wait_until_ready,
    waitForEvent: values.wait_for_event,
    waitForDurableExecution: values.wait_for_durable_execution,
    onCancel: values.on_cancel,
    stopOnFailure: values.stop_on_failure,
    responseStream: values.response_stream,
  };
}

/** Checks the inputs in combination. Returns the warnings, and adds errors to `problems`. */
function checkTogether(values: InputValues, parts: StepFacts, problems: Problems): string[] {
  const facts = { ...values, ...parts };
  for (const { applies, message } of STEP_ERRORS) if (applies(facts)) problems.add(message(facts));
  return STEP_WARNINGS.filter(({ applies }) => applies(facts)).map(({ message }) => message(facts));
}

const DECLARED: ReadonlySet<string> = new Set(INPUT_NAMES.map((name) => name.toUpperCase()));

/** Checks the names of undeclared inputs. The code that knows the right names is loaded only if there are any. */
async function checkNames(given: readonly string[], problems: Problems): Promise<void> {
  const undeclared = given.filter((name) => !DECLARED.has(name));
  if (undeclared.length === 0) return;
  const { checkInputNames } = await import('./misspelled.ts');
  checkInputNames(undeclared, INPUT_NAMES, problems);
}

/** Reads the expressions. After their problems, adds a link to the page about expressions, if it is known. */
async function planExpressions(
  values: InputValues,
  given: Pick<Entries, 'invocations' | 'own'> & Readonly<{ environment: Environment }>,
  problems: Problems,
): Promise<Expressions> {
  const { invocations, own, environment } = given;
  const found = new Problems();
  const { wait_for_durable_execution: waitForDurableExecution, wait_for_event: waitForEvent } = values;
  const facts = { invocations, own, waitForDurableExecution, waitForEvent };
  const expressions = await parseExpressions(values, facts, found);
  if (found.error && environment.documents !== undefined) {
    found.add(`See how to write expressions: ${environment.documents}/expressions.md`);
  }
  problems.addAll(found);
  return expressions;
}

/** The regions for an invocation that names none. */
const regionsOf = ({ aws }: Environment): Pick<InvokePlan, 'jobRegion' | 'defaultRegion'> => ({
  ...(aws.region !== undefined && { jobRegion: aws.region }),
  ...(aws.defaultRegion !== undefined && { defaultRegion: aws.defaultRegion }),
});

const foldersOf = ({ workspace, temporaryFolder }: Environment): JobFolders => ({
  workspace,
  temporaryFolder,
});

/** Checks the settings of AWS's SDK and the proxy. With a wrong setting, no request can be sent. */
function planConnection(environment: Environment, problems: Problems) {
  const found = new Problems();
  checkAwsSettings(environment, found);
  const proxy = Object.freeze(parseProxy(environment, found));
  problems.addAll(found);
  return { proxy, canConnect: found.error === undefined };
}

/** Reads the files that the step writes. */
async function parseOutputFiles(values: InputValues, folders: JobFolders, problems: Problems) {
  const parse = (input: 'response_file' | 'journal', example: string): Promise<OutputFile> =>
    parseOutputFile({ input, text: values[input], example }, folders, problems);
  const response = await parse('response_file', 'response.json');
  const journal = await parse('journal', 'journal.jsonl');
  if (response.file !== undefined && response.file === journal.file) {
    problems.add(
      'response_file and journal name the same file, and the response would replace the journal. Change one of them.',
    );
  }
  return {
    plan: {
      responseFile: response.file,
      ...(journal.file !== undefined && { journalFile: journal.file }),
    },
    notes: [response, journal].flatMap(({ note }) => (note === undefined ? [] : [note])),
  };
}

/** What a plan needs from outside: access to test events, and the time and ID for HTTP events. */
export type PlanSources = Readonly<{ openTestEvents: OpenTestEvents; stamp: EventStamp }>;

/**
 * Turns the inputs into a plan. Throws InvalidInputError with all problems, before anything is invoked.
 * `openTestEvents` is called only if a test event is named.
 */
export async function makePlan(
  read: InputReader,
  environment: Environment,
  { openTestEvents, stamp }: PlanSources,
): Promise<Plan> {
  const problems = new Problems();
  await checkNames(environment.inputNames, problems);
  const { proxy, canConnect } = planConnection(environment, problems);
  // Problems with what to invoke come first.
  const valueProblems = new Problems();
  const values = parseInputs(INPUT_NAMES, { read, problemsFor: () => valueProblems });
  const folders = foldersOf(environment);
  const open = canConnect ? () => openTestEvents(proxy) : undefined;
  const given = { read, values, folders, stamp, openTestEvents: open };
  const { invocations, counts, own, ...entries } = await parseEntries(given, problems);
  problems.addAll(valueProblems);
  const files = await parseOutputFiles(values, folders, problems);
  const expressions = await planExpressions(values, { invocations, own, environment }, problems);
  const concurrency = values.max_concurrency ?? usualConcurrency(values, counts.total);
  const warnings = checkTogether(values, { planned: invocations, counts, concurrency }, problems);
  if (problems.error) throw problems.error;
  return Object.freeze({
    ...planInvocations(values, { invocations, maxConcurrency: concurrency, proxy }),
    ...regionsOf(environment),
    expressions: Object.freeze(expressions),
    failOnFunctionError: values.fail_on_function_error,
    followLog: values.follow_log,
    showResponse: values.show_response,
    writeSummary: values.summary,
    ...files.plan,
    ...(values.comment_on_pull_request && { comment: await planComment(values, environment) }),
    warnings: Object.freeze([
      ...entries.warnings,
      ...(environment.trustsAnyCertificate ? [ALWAYS_VERIFIED] : []),
      ...warnings,
    ]),
    notes: Object.freeze([...entries.notes, ...files.notes]),
  });
}
