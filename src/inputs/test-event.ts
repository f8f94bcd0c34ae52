import { Buffer } from 'node:buffer';
import type { ProxyVariables } from '../lambda/agents.ts';
import type { InvocationType } from '../lambda/invocation.ts';
import type { TestEvent, TestEvents, TestEventTarget } from '../lambda/test-events.ts';
import { type FunctionReference, schemaArnIn } from '../shared/arn.ts';
import { nearest } from '../shared/text.ts';
import { type Problems, quote } from './problems.ts';

/** Reads the test events of functions. Must be closed. */
export type TestEventStore = Readonly<{
  read: (target: TestEventTarget) => Promise<TestEvents>;
  close: () => void;
}>;

/** Opens a store of test events, through the proxy that the variables name. */
export type OpenTestEvents = (proxy: ProxyVariables) => Promise<TestEventStore>;

/** A test event: the payload, and the invocation type that it was saved with, if any. */
export type FoundTestEvent = Readonly<{ bytes: Uint8Array; invocationType?: InvocationType }>;

const SHOWN_NAMES = 20;

const TYPES: readonly InvocationType[] = ['RequestResponse', 'Event', 'DryRun'];

const HOW_TO_SHARE =
  'Save one as shareable in the Lambda console, or with sam remote test-event put. A private one cannot be read.';

function noSuchEvent(name: string, { region, events }: Extract<TestEvents, { kind: 'events' }>): string {
  const names = [...events.keys()];
  const shown = names.slice(0, SHOWN_NAMES).map(quote).join(', ');
  const more = names.length > SHOWN_NAMES ? ` and ${names.length - SHOWN_NAMES} more` : '';
  const meant = nearest(name, names);
  const hint = meant === undefined ? '' : ` (did you mean ${quote(meant)}?)`;
  return `does not exist${hint}. The function's shareable test events in ${region} are ${shown}${more}.`;
}

/** The statement for the caller's policy. If AWS's message has no ARN, it is for the test events of all functions. */
function schemaStatement(message: string): string {
  const resource = schemaArnIn(message) ?? 'arn:aws:schemas:*:*:schema/lambda-testevent-schemas/*';
  return JSON.stringify({ Effect: 'Allow', Action: 'schemas:DescribeSchema', Resource: resource });
}

/** Finds a test event by name. Returns a problem as a text, worded to follow the name. */
function findEvent(name: string, found: TestEvents): TestEvent | string {
  switch (found.kind) {
    case 'events':
      return found.events.get(name) ?? noSuchEvent(name, found);
    case 'none':
      return `does not exist: the function has no shareable test events in ${found.region}. ${HOW_TO_SHARE}`;
    case 'denied':
      return `cannot be read: the caller is not authorized to perform schemas:DescribeSchema. Add this statement to the caller's policy: ${schemaStatement(found.message)}`;
    case 'unreadable':
      return `cannot be read: ${found.why.replace(/\.$/, '')}.`;
    default:
      return found satisfies never;
  }
}

/** The test events that a step names. Each function's events are read once, even if several entries name them. */
export class TestEventSource {
  readonly #open: () => Promise<TestEventStore>;
  readonly #byFunction = new Map<string, Promise<TestEvents>>();
  #store: Promise<TestEventStore> | undefined;

  constructor(open: () => Promise<TestEventStore>) {
    this.#open = open;
  }

  /** Finds a function's test event. Undefined, with a problem, if it is not found or can't be read. */
  async find(
    name: string,
    {
      reference,
      region = reference.region,
    }: Readonly<{ reference: FunctionReference; region?: string | undefined }>,
    problems: Problems,
  ): Promise<FoundTestEvent | undefined> {
    const key = JSON.stringify([region, reference.name]);
    const reading = this.#byFunction.get(key) ?? this.#read({ functionName: reference.name, region });
    this.#byFunction.set(key, reading);
    const found = findEvent(name, await reading);
    if (typeof found === 'string') {
      problems.add(`test_event ${quote(name)} of ${reference.name} ${found}`);
      return undefined;
    }
    const invocationType = TYPES.find((type) => type === found.invocationType);
    return { bytes: Buffer.from(found.json), ...(invocationType !== undefined && { invocationType }) };
  }

  async #read(target: TestEventTarget): Promise<TestEvents> {
    this.#store ??= this.#open();
    return (await this.#store).read(target);
  }

  /** Closes what was opened. */
  async close(): Promise<void> {
    (await this.#store)?.close();
  }
}
