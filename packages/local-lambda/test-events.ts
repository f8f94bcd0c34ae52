import type { FunctionDefinition } from './function-definition.ts';
import { partitionOf } from './function-name.ts';
import { type Answer, jsonAnswer, type ServiceError, schemasError } from './service-errors.ts';

// AWS SAM CLI saves one schema for each function. The examples of the schema are the test events. See
// samcli/lib/shared_test_events/lambda_shared_test_event.py in https://github.com/aws/aws-sam-cli.
const REGISTRY_NAME = 'lambda-testevent-schemas';
const SCHEMA_NAME = /^_(.+)-schema$/;
const SCHEMA_VERSION = '1';

/** The test events of one function, and when they were saved, in milliseconds since 1970. */
export type SavedTestEvents = Readonly<{
  events: NonNullable<FunctionDefinition['testEvents']>;
  savedAt: number;
}>;

/** A request about the registry, or about one schema in it. */
type SchemasRequest = Readonly<{
  registryName: string;
  schemaName: string | undefined;
  schemaVersion: string | undefined;
  account: Readonly<{ region: string; accountId: string }>;
  /** By function. */
  saved: ReadonlyMap<string, SavedTestEvents>;
}>;

/** The function that a schema of this name belongs to; undefined for any other name. */
export const functionOfSchema = (schemaName: string): string | undefined => SCHEMA_NAME.exec(schemaName)?.[1];

/** The ARN that a request is about: of a schema, or of a registry where no schema is named. */
export function schemasArn({
  registryName,
  schemaName,
  account: { region, accountId },
}: Pick<SchemasRequest, 'registryName' | 'schemaName' | 'account'>): string {
  const resource =
    schemaName === undefined ? `registry/${registryName}` : `schema/${registryName}/${schemaName}`;
  return `arn:${partitionOf(region)}:schemas:${region}:${accountId}:${resource}`;
}

const notFound = (message: string): ServiceError => schemasError(404, 'NotFoundException', message);

/** Throws what the service answers where there is no such registry. The first saved event creates it. */
function checkRegistry({ registryName, saved }: SchemasRequest): void {
  if (registryName === REGISTRY_NAME && saved.size > 0) return;
  throw notFound(`Registry with name ${registryName} does not exist.`);
}

function contentOf(events: SavedTestEvents['events']): string {
  if (typeof events === 'string') return events;
  const examples = Object.entries(events).map(([name, { value, invocationType }]) => [
    name,
    { value, ...(invocationType === undefined ? {} : { 'x-metadata': { invocationType } }) },
  ]);
  return JSON.stringify({
    openapi: '3.0.0',
    info: { version: '1.0.0', title: 'Event' },
    paths: {},
    components: { schemas: { Event: { type: 'object' } }, examples: Object.fromEntries(examples) },
  });
}

/** The answer of DescribeRegistry. */
export function describeRegistry(request: SchemasRequest): Answer {
  checkRegistry(request);
  const { registryName } = request;
  return jsonAnswer({ RegistryArn: schemasArn(request), RegistryName: registryName, tags: {} });
}

/** The answer of DescribeSchema. */
export function describeSchema(request: SchemasRequest): Answer {
  const { schemaName = '', schemaVersion = SCHEMA_VERSION, saved } = request;
  checkRegistry(request);
  const found = saved.get(functionOfSchema(schemaName) ?? '');
  if (found === undefined) throw notFound(`Schema with name ${schemaName} does not exist.`);
  if (schemaVersion !== SCHEMA_VERSION) {
    throw notFound(`Schema version ${schemaVersion} of schema with name ${schemaName} does not exist.`);
  }
  const savedAt = new Date(found.savedAt).toISOString().replace(/\.\d+Z$/, 'Z');
  return jsonAnswer({
    Content: contentOf(found.events),
    LastModified: savedAt,
    SchemaArn: schemasArn(request),
    SchemaName: schemaName,
    SchemaVersion: SCHEMA_VERSION,
    Type: 'OpenApi3',
    VersionCreatedDate: savedAt,
    tags: {},
  });
}
