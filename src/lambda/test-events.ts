import { DescribeSchemaCommand, SchemasClient } from '@aws-sdk/client-schemas';
import { findNodeAtLocation, type Node, type ParseError, parseTree } from 'jsonc-parser';
import { fieldsOf, messageOf } from '../shared/values.ts';
import type { Clients } from './client.ts';
import { boundsFor, type Timing } from './timing.ts';

/** A function's shareable test event: JSON as it was saved, and the type that it was saved with. */
export type TestEvent = Readonly<{ json: string; invocationType?: string }>;

/** The test events of a function by name, or why they can't be read. */
export type TestEvents = Readonly<
  | { kind: 'events'; region: string; events: ReadonlyMap<string, TestEvent> }
  | { kind: 'none'; region: string }
  | { kind: 'denied'; message: string }
  | { kind: 'unreadable'; why: string }
>;

/** The function whose test events to read. */
export type TestEventTarget = Readonly<{ functionName: string; region?: string | undefined }>;

// AWS SAM CLI and the Lambda console save a function's test events as the examples of one schema. See
// samcli/lib/shared_test_events/lambda_shared_test_event.py in https://github.com/aws/aws-sam-cli.
const REGISTRY = 'lambda-testevent-schemas';
const schemaOf = (functionName: string): string => `_${functionName}-schema`;

const LONGEST_REQUEST_MS = 30_000;

const stringIn = (node: Node | undefined): string | undefined =>
  typeof node?.value === 'string' ? node.value : undefined;

/**
 * The events in a schema, as they are written, so that numbers keep all digits. Undefined if the schema is not JSON.
 */
function readSchema(content: string): ReadonlyMap<string, TestEvent> | undefined {
  const errors: ParseError[] = [];
  const tree = parseTree(content, errors, { disallowComments: true });
  if (tree === undefined || errors.length > 0) return undefined;
  const examples = findNodeAtLocation(tree, ['components', 'examples'])?.children ?? [];
  const events = new Map<string, TestEvent>();
  for (const { children: [key, example] = [] } of examples) {
    const name = stringIn(key);
    const value = example && findNodeAtLocation(example, ['value']);
    if (name === undefined || example === undefined || value === undefined) continue;
    const type = stringIn(findNodeAtLocation(example, ['x-metadata', 'invocationType']));
    events.set(name, {
      json: content.slice(value.offset, value.offset + value.length),
      ...(type !== undefined && { invocationType: type }),
    });
  }
  return events;
}

function whyUnread(error: unknown, region: string): TestEvents {
  const { name, $metadata: metadata } = fieldsOf(error);
  const { httpStatusCode: status } = fieldsOf(metadata);
  const message = messageOf(error);
  if (status === 404) return { kind: 'none', region };
  if (status === 403 && message.includes('not authorized to perform')) return { kind: 'denied', message };
  const named = typeof status === 'number' && typeof name === 'string' ? `${name}: ` : '';
  return { kind: 'unreadable', why: `${named}${message}` };
}

/** Reads shareable test events from EventBridge Schemas, with the settings of Lambda's clients. */
export class TestEventReader {
  readonly #clients: Clients;
  readonly #timing: Timing;
  readonly #cancel: AbortSignal;

  constructor(parts: { clients: Clients; timing: Timing; cancel: AbortSignal }) {
    this.#clients = parts.clients;
    this.#timing = parts.timing;
    this.#cancel = parts.cancel;
  }

  /** Reads the test events of a function with one request. Never throws. */
  async read({ functionName, region: wanted }: TestEventTarget): Promise<TestEvents> {
    let region = wanted ?? '';
    const { bounds, release } = boundsFor(LONGEST_REQUEST_MS, { cancel: this.#cancel, timing: this.#timing });
    try {
      region = await this.#clients.of(wanted).region();
      const content = await this.#describe(schemaOf(functionName), region, bounds.stop);
      const events = readSchema(content);
      if (events === undefined) return { kind: 'unreadable', why: 'their schema is not JSON' };
      return events.size === 0 ? { kind: 'none', region } : { kind: 'events', region, events };
    } catch (error) {
      return whyUnread(error, region);
    } finally {
      release();
    }
  }

  async #describe(schema: string, region: string, stop: AbortSignal): Promise<string> {
    const client = new SchemasClient({ ...this.#clients.settingsFor(region), region });
    const stopped = Promise.withResolvers<never>();
    const abort = (): void => stopped.reject(new Error('the request was stopped before a response arrived'));
    stop.addEventListener('abort', abort);
    if (stop.aborted) abort();
    try {
      // A request reacts to the signal only after it has started, and fetching credentials before that may hang.
      const { Content: content = '' } = await Promise.race([
        client.send(new DescribeSchemaCommand({ RegistryName: REGISTRY, SchemaName: schema }), {
          abortSignal: stop,
        }),
        stopped.promise,
      ]);
      return content;
    } finally {
      stop.removeEventListener('abort', abort);
    }
  }

  /** Closes every connection, so that the process can end. */
  close(): void {
    this.#clients.close();
  }
}
