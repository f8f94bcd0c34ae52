import type { FunctionDefinition } from './function-definition.ts';
import { partitionOf } from './function-name.ts';
import { jsonResponse, type ServiceError, type ServiceResponse, schemasError } from './service-errors.ts';

// AWS SAM CLI saves one schema per function. The examples of the schema are the test events. Source:
// samcli/lib/shared_test_events/lambda_shared_test_event.py in https://github.com/aws/aws-sam-cli.
const REGISTRY_NAME = 'lambda-testevent-schemas';
const SCHEMA_NAME = /^_(.+)-schema$/;
const SCHEMA_VERSION = '1';

/** The test events of a function, and when they were saved, in milliseconds since 1970. */
export type SavedTestEvents = Readonly<{
  events: NonNullable<FunctionDefinition['testEvents']>;
  savedAt: number;
}>;

/** A request about the registry or a schema in it. */
type SchemasRequest = Readonly<{
  registryName: string;
  schemaName: string | undefined;
  schemaVersion: string | undefined;
  account: Readonly<{ region: string; accountId: string }>;
  /** The test events by function. */
  saved: ReadonlyMap<string, SavedTestEvents>;
}>;

/** The function of the schema with this name. Undefined if the name is not that of a test event schema. */
export const functionOfSchema = (schemaName: string): string | undefined => SCHEMA_NAME.exec(schemaName)?.[1];

/** The ARN of the schema in a request, or of the registry if it names no schema. */
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

/** Throws the service's error if the registry does not exist. The first saved event creates it. */
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

/** The response to DescribeRegistry. */
export function describeRegistry(request: SchemasRequest): ServiceResponse {
  checkRegistry(request);
  const { registryName } = request;
  return jsonResponse({ RegistryArn: schemasArn(request), RegistryName: registryName, tags: {} });
}

/** The response to DescribeSchema. */
export function describeSchema(request: SchemasRequest): ServiceResponse {
  const { schemaName = '', schemaVersion = SCHEMA_VERSION, saved } = request;
  checkRegistry(request);
  const found = saved.get(functionOfSchema(schemaName) ?? '');
  if (found === undefined) throw notFound(`Schema with name ${schemaName} does not exist.`);
  if (schemaVersion !== SCHEMA_VERSION) {
    throw notFound(`Schema version ${schemaVersion} of schema with name ${schemaName} does not exist.`);
  }
  const savedAt = new Date(found.savedAt).toISOString().replace(/\.\d+Z$/, 'Z');
  return jsonResponse({
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
