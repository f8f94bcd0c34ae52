import type { Invocations, InvocationType } from '../lambda/invocation.ts';
import type { FunctionReference } from '../shared/arn.ts';
import { grouped } from '../shared/text.ts';
import { linesOf } from './input-types.ts';
import { quote } from './problems.ts';
import {
  type EntryInput,
  type EntryValues,
  EVENT_INPUTS,
  type InputName,
  type InputValues,
} from './schema.ts';

/** A combination of valid inputs that is wrong or has no effect. `inputs` names the inputs that it reads. */
type Rule<Name extends InputName, Values> = Readonly<{
  inputs: readonly Name[];
  applies: (values: Values) => boolean;
  message: (values: Values) => string;
  /** Whether all its inputs are missing, so that no input has a place. */
  isMissing?: true;
}>;

/** What a rule about one entry can read in addition to the inputs. */
type EntryParts = Readonly<{ reference: FunctionReference | undefined }>;
type EntryRuleInput = EntryInput | 'response_stream';

/** A rule about one entry, for its own inputs together with the step's. */
export type EntryRule = Rule<InputName, Pick<InputValues, EntryRuleInput> & EntryParts>;

const entryRule = <Name extends EntryRuleInput>(
  rule: Rule<Name, Pick<InputValues, Name> & EntryParts>,
): EntryRule => rule;

/** The given inputs that define the event. */
const eventInputsIn = (values: Pick<InputValues, (typeof EVENT_INPUTS)[number]>): readonly string[] =>
  EVENT_INPUTS.filter((name) => values[name] !== '');

/** Combinations for which an entry is refused. */
export const ENTRY_ERRORS: readonly EntryRule[] = [
  entryRule({
    inputs: ['function_name', 'qualifier'],
    applies: ({ qualifier, reference }) =>
      qualifier !== undefined && reference?.qualifier !== undefined && reference.qualifier !== qualifier,
    message: ({ qualifier = '', reference }) =>
      `qualifier is ${quote(qualifier)}, but function_name already says ${quote(reference?.qualifier ?? '')}. Remove one of them.`,
  }),
  entryRule({
    inputs: ['function_name', 'region'],
    applies: ({ region, reference }) =>
      region !== undefined && reference?.region !== undefined && reference.region !== region,
    message: ({ region = '', reference }) =>
      `region is ${quote(region)}, but the ARN in function_name is in ${quote(reference?.region ?? '')}. Remove region: the region of the ARN is used.`,
  }),
  entryRule({
    inputs: EVENT_INPUTS,
    applies: (values) => eventInputsIn(values).length > 1,
    message: (values) => {
      const given = eventInputsIn(values);
      return `${given.slice(0, -1).join(', ')} and ${given.at(-1)} are ${given.length > 2 ? 'all' : 'both'} given. Keep one of them.`;
    },
  }),
  entryRule({
    inputs: [...EVENT_INPUTS, 'invocation_type'],
    isMissing: true,
    applies: (values) => values.invocation_type !== 'DryRun' && eventInputsIn(values).length === 0,
    message: () =>
      "payload is required: give the JSON event, '{}' if the function needs no data, or payload_file, http_request or test_event. An empty expression counts as not given.",
  }),
  entryRule({
    inputs: ['http_request', 'invocation_type'],
    applies: ({ http_request: request, invocation_type: type }) => request !== '' && type === 'Event',
    message: () =>
      'http_request needs invocation_type RequestResponse or DryRun: an Event has no response. To queue the event of a request, give it as payload.',
  }),
  // Source of this rule and the next: the API's InvokeWithResponseStream.
  entryRule({
    inputs: ['response_stream', 'invocation_type'],
    applies: ({ response_stream: isStream, invocation_type: type }) => isStream && type === 'Event',
    message: () =>
      'response_stream needs invocation_type RequestResponse or DryRun: an Event has no response. Remove one of them.',
  }),
  entryRule({
    inputs: ['response_stream', 'durable_execution_name'],
    applies: ({ response_stream: isStream, durable_execution_name: name }) => isStream && name !== undefined,
    message: () =>
      'response_stream and durable_execution_name are both given; Lambda cannot stream a durable execution. Remove one of them.',
  }),
];

const noEffect = (input: string, { invocation_type: type }: Pick<EntryValues, 'invocation_type'>): string =>
  `${input} has no effect with invocation_type: ${type};`;

/** Inputs of an entry that are not sent with its invocation type. */
export const ENTRY_WARNINGS: readonly EntryRule[] = [
  entryRule({
    inputs: ['log_type', 'invocation_type'],
    applies: ({ log_type: log, invocation_type: type }) => log === 'Tail' && type !== 'RequestResponse',
    message: (values) =>
      `${noEffect('log_type: Tail', values)} Lambda returns a log only for RequestResponse.`,
  }),
  entryRule({
    inputs: ['client_context', 'invocation_type'],
    applies: ({ client_context: context, invocation_type: type }) =>
      context !== '' && type !== 'RequestResponse',
    message: (values) =>
      `${noEffect('client_context', values)} it reaches a function only with RequestResponse.`,
  }),
  entryRule({
    inputs: ['durable_execution_name', 'invocation_type'],
    applies: ({ durable_execution_name: name, invocation_type: type }) =>
      name !== undefined && type === 'DryRun',
    message: (values) => `${noEffect('durable_execution_name', values)} a dry run starts no execution.`,
  }),
];

/** What a rule about the step can read in addition to the inputs: facts about the invocations. */
export type StepFacts = Readonly<{
  planned: Invocations;
  /** The number of invocations, and of those with a response. Counted even if they are too many. */
  counts: Readonly<{ total: number; responses: number }>;
  concurrency: number;
}>;

/** A rule about the step as a whole. */
export type StepRule = Rule<InputName, InputValues & StepFacts>;

const stepRule = <Name extends InputName>(rule: Rule<Name, Pick<InputValues, Name> & StepFacts>): StepRule =>
  rule;

const MOST_INVOCATIONS = 100_000;

/** Whether the step does not have too many invocations. */
export const isWithinLimit = ({ total }: StepFacts['counts']): boolean => total <= MOST_INVOCATIONS;

type ListInputs = Pick<InputValues, 'function_name' | 'invocations' | 'invocations_file'>;

const listInput = ({ invocations }: ListInputs): 'invocations' | 'invocations_file' =>
  invocations === '' ? 'invocations_file' : 'invocations';

/** Whether `function_name` and a list of entries both say which functions to invoke. */
export const namesFunctionsTwice = (values: ListInputs): boolean =>
  values[listInput(values)] !== '' && linesOf(values.function_name).length > 1;

/** Combinations for which a step is refused. */
export const STEP_ERRORS: readonly StepRule[] = [
  stepRule({
    inputs: ['function_name', 'invocations', 'invocations_file'],
    applies: namesFunctionsTwice,
    message: (values) =>
      `function_name has several lines and ${listInput(values)} is given too. Name the functions in one of them.`,
  }),
  stepRule({
    inputs: ['invocations', 'invocations_file'],
    applies: ({ invocations, invocations_file: file }) => invocations !== '' && file !== '',
    message: () => 'invocations and invocations_file are both given. Remove one of them.',
  }),
  stepRule({
    inputs: ['invocations', 'repeat', 'shard'],
    applies: ({ counts }) => !isWithinLimit(counts),
    message: ({ counts }) =>
      `This step has ${grouped(counts.total)} invocations; the limit is ${grouped(MOST_INVOCATIONS)}. Split them between jobs with shard, or lower repeat.`,
  }),
  stepRule({
    inputs: ['response_file'],
    applies: ({ response_file: file, counts }) => file !== '' && counts.total > 1,
    message: ({ counts }) =>
      `response_file takes the response of one invocation, and this step has ${counts.total}. Remove it, and read the output outcomes_file.`,
  }),
  stepRule({
    inputs: ['response_stream'],
    applies: ({ response_stream: isStream, counts }) => isStream && counts.responses > 1,
    message: ({ counts }) =>
      `response_stream takes one invocation, and this step has ${counts.responses}. Give each a step of its own.`,
  }),
  stepRule({
    inputs: ['response_stream', 'journal'],
    applies: ({ response_stream: isStream, journal }) => isStream && journal !== '',
    message: () =>
      'response_stream and journal are both given; a journal cannot keep a streamed response. Remove one of them.',
  }),
  stepRule({
    inputs: ['response_stream', 'wait_for_durable_execution'],
    applies: ({ response_stream: isStream, wait_for_durable_execution: waits }) => isStream && waits,
    message: () =>
      'response_stream and wait_for_durable_execution are both true; Lambda cannot stream a durable execution. Remove one of them.',
  }),
];

const areOf = (invocations: Invocations, type: InvocationType): boolean =>
  invocations.length > 0 && invocations.every(({ invocationType }) => invocationType === type);

const areDryRuns = (invocations: Invocations): boolean => areOf(invocations, 'DryRun');

/** The warning about an input for the response of invocations that have none. */
const withoutResponse = (input: InputName, [first]: Invocations): string =>
  `${input} has no effect with invocation_type: ${first?.invocationType}; there is a response only with RequestResponse.`;

/** Inputs of a step that have no effect in combination with others. */
export const STEP_WARNINGS: readonly StepRule[] = [
  stepRule({
    inputs: ['http_event'],
    applies: ({ http_event: format, planned }) => format !== '2.0' && planned.every(({ http }) => !http),
    message: () => 'http_event has no effect without http_request; the payload is sent as it is.',
  }),
  stepRule({
    inputs: ['max_concurrency', 'repeat'],
    applies: ({ repeat, concurrency }) => concurrency < repeat,
    message: ({ repeat, concurrency, max_concurrency: given }) =>
      given === undefined
        ? `By default max_concurrency is at most ${concurrency}, which is below repeat: ${repeat}, so the copies of an entry do not all overlap. To let them overlap, set max_concurrency.`
        : `max_concurrency: ${concurrency} is below repeat: ${repeat}, so the copies of an entry do not all overlap.`,
  }),
  stepRule({
    inputs: ['stop_on_failure', 'max_concurrency'],
    applies: ({ stop_on_failure: stops, counts, concurrency }) =>
      stops && counts.total > 1 && counts.total <= concurrency,
    message: ({ counts, concurrency }) =>
      `stop_on_failure has no effect with ${counts.total} invocations and max_concurrency: ${concurrency}; all of them start at once. To run them in order, set max_concurrency: 1.`,
  }),
  stepRule({
    // A list that another step wrote, or a glob, may happen to have one entry.
    inputs: ['stop_on_failure', 'invocations', 'invocations_file', 'payload_file'],
    applies: ({ stop_on_failure: stops, counts, ...lists }) =>
      stops &&
      counts.total === 1 &&
      [lists.invocations, lists.invocations_file, lists.payload_file].every((list) => list === ''),
    message: () => 'stop_on_failure has no effect with one invocation.',
  }),
  stepRule({
    inputs: ['repeat'],
    applies: ({ repeat, planned }) =>
      repeat > 1 && planned.some(({ durableExecutionName }) => durableExecutionName !== undefined),
    message: ({ repeat }) =>
      `repeat: ${repeat} has no effect with durable_execution_name; Lambda treats all copies as one execution.`,
  }),
  stepRule({
    inputs: ['response_file', 'wait_for_durable_execution'],
    applies: ({ response_file: file, wait_for_durable_execution: waits, planned: [first] }) =>
      file !== '' &&
      first !== undefined &&
      first.invocationType !== 'RequestResponse' &&
      !(first.invocationType === 'Event' && waits),
    message: ({ planned }) => withoutResponse('response_file', planned),
  }),
  stepRule({
    inputs: ['show_response', 'wait_for_durable_execution'],
    applies: ({ show_response: shows, wait_for_durable_execution: waits, planned }) =>
      shows &&
      planned.length > 0 &&
      planned.every(({ invocationType }) => invocationType !== 'RequestResponse') &&
      !(waits && planned.some(({ invocationType }) => invocationType === 'Event')),
    message: ({ planned }) => withoutResponse('show_response', planned),
  }),
  stepRule({
    inputs: ['journal'],
    applies: ({ journal, planned }) => journal !== '' && areDryRuns(planned),
    message: () => 'journal has no effect with invocation_type: DryRun; a dry run is not recorded.',
  }),
  stepRule({
    inputs: ['wait_until_ready'],
    applies: ({ wait_until_ready: waits, planned }) => waits && areDryRuns(planned),
    message: () =>
      'wait_until_ready has no effect with invocation_type: DryRun; a dry run does not check the state.',
  }),
  stepRule({
    inputs: ['on_cancel', 'wait_for_durable_execution'],
    applies: ({ on_cancel: onCancel, wait_for_durable_execution: waits }) => onCancel === 'stop' && !waits,
    message: () =>
      'on_cancel: stop has no effect without wait_for_durable_execution: true; the step ends when the execution has started.',
  }),
  stepRule({
    inputs: ['on_cancel', 'wait_for_durable_execution'],
    applies: ({ on_cancel: onCancel, wait_for_durable_execution: waits, planned }) =>
      onCancel === 'stop' && waits && areOf(planned, 'RequestResponse'),
    message: () =>
      'on_cancel: stop has no effect with invocation_type: RequestResponse; Lambda names the execution when it has ended. Use Event.',
  }),
  stepRule({
    inputs: ['wait_for_event'],
    applies: ({ wait_for_event: waits, planned }) =>
      waits && planned.length > 0 && planned.every(({ invocationType }) => invocationType !== 'Event'),
    message: () => 'wait_for_event has no effect without invocation_type: Event.',
  }),
  stepRule({
    inputs: ['follow_log'],
    applies: ({ follow_log: follows, planned }) =>
      follows &&
      planned.length > 0 &&
      planned.every(({ invocationType }) => invocationType !== 'RequestResponse'),
    message: ({ planned: [first] }) =>
      `follow_log has no effect with invocation_type: ${first?.invocationType}; a log is followed only with RequestResponse.`,
  }),
  stepRule({
    inputs: ['wait_for_durable_execution'],
    applies: ({ wait_for_durable_execution: waits, planned }) => waits && areDryRuns(planned),
    message: () =>
      'wait_for_durable_execution has no effect with invocation_type: DryRun; a dry run starts no execution.',
  }),
];
