import {
  DescribeRegistryCommand,
  DescribeSchemaCommand,
  SchemasClient,
  SchemasServiceException,
} from '@aws-sdk/client-schemas';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { SAMPLE_FUNCTIONS } from '../sample-functions.ts';
import { type Denial, type LocalLambda, startLocalLambda } from '../server.ts';

const REGISTRY = 'lambda-testevent-schemas';
const ARN = 'arn:aws:schemas:us-east-1:123456789012';
const ORDER = { order: 7, items: ['größe', null], nested: { at: 1.5 } };

let lambda: LocalLambda;
let client: SchemasClient;
let denial: Denial | undefined;

const describeSchema = (SchemaName: string, RegistryName = REGISTRY, SchemaVersion?: string) =>
  client.send(new DescribeSchemaCommand({ RegistryName, SchemaName, SchemaVersion }));
const describeRegistry = (RegistryName: string) => client.send(new DescribeRegistryCommand({ RegistryName }));

async function errorOf(promise: Promise<unknown>): Promise<SchemasServiceException> {
  const error = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (error instanceof SchemasServiceException) return error;
  throw new Error(`Expected an error of the service, got ${String(error)}`, { cause: error });
}

beforeAll(async () => {
  lambda = await startLocalLambda({
    functions: {
      own: {
        ...SAMPLE_FUNCTIONS.echo,
        testEvents: {
          order: { value: ORDER, invocationType: 'Event' },
          old: { value: 'a text' },
        },
      },
      odd: { ...SAMPLE_FUNCTIONS.echo, testEvents: 'no JSON at all' },
      none: SAMPLE_FUNCTIONS.health,
    },
    deny: () => denial,
  });
  client = new SchemasClient({
    endpoint: lambda.url,
    region: lambda.region,
    maxAttempts: 1,
    credentials: { accessKeyId: 'AKIAEXAMPLE000000000', secretAccessKey: 'secret' },
  });
});

afterAll(async () => {
  client.destroy();
  await lambda.close();
});

beforeEach(() => {
  denial = undefined;
  lambda.reset();
});

describe('DescribeSchema', () => {
  test('returns the test events of a function as the examples of an OpenAPI document', async () => {
    const {
      $metadata,
      Content = '',
      LastModified,
      VersionCreatedDate,
      ...schema
    } = await describeSchema('_own-schema');
    expect($metadata.httpStatusCode).toBe(200);
    expect(schema).toEqual({
      SchemaArn: `${ARN}:schema/${REGISTRY}/_own-schema`,
      SchemaName: '_own-schema',
      SchemaVersion: '1',
      Type: 'OpenApi3',
      Tags: {},
    });
    expect(LastModified).toEqual(VersionCreatedDate);
    expect(LastModified?.getTime()).toBeGreaterThan(Date.now() - 600_000);
    expect(JSON.parse(Content)).toEqual({
      openapi: '3.0.0',
      info: { version: '1.0.0', title: 'Event' },
      paths: {},
      components: {
        schemas: { Event: { type: 'object' } },
        examples: {
          order: { value: ORDER, 'x-metadata': { invocationType: 'Event' } },
          old: { value: 'a text' },
        },
      },
    });
    expect(lambda.requests).toMatchObject([{ operation: 'DescribeSchema', functionName: 'own' }]);
  });

  test('returns any saved content', async () => {
    expect(await describeSchema('_odd-schema', REGISTRY, '1')).toMatchObject({ Content: 'no JSON at all' });
  });

  test('returns the test events of the latest deployment', async () => {
    const functions = { first: { value: 1 }, second: { value: 2 } };
    lambda.setFunction('own', { ...SAMPLE_FUNCTIONS.echo, testEvents: functions });
    const { Content = '' } = await describeSchema('_own-schema');
    expect(JSON.parse(Content)).toMatchObject({ components: { examples: functions } });
  });

  test.each([
    ['_none-schema', REGISTRY, undefined, 'Schema with name _none-schema does not exist.'],
    ['_nope-schema', REGISTRY, undefined, 'Schema with name _nope-schema does not exist.'],
    ['own', REGISTRY, undefined, 'Schema with name own does not exist.'],
    ['_own-schema', 'elsewhere', undefined, 'Registry with name elsewhere does not exist.'],
    ['_own-schema', REGISTRY, '7', 'Schema version 7 of schema with name _own-schema does not exist.'],
  ])('of %s in %s, version %s, is not found', async (schema, registry, version, message) => {
    const error = await errorOf(describeSchema(schema, registry, version));
    expect(error).toMatchObject({ name: 'NotFoundException', Code: 'NotFoundException', message });
    expect(error.$metadata.httpStatusCode).toBe(404);
  });

  test('can be denied', async () => {
    denial = { kind: 'no-identity-policy' };
    const error = await errorOf(describeSchema('_own-schema'));
    expect(error).toMatchObject({
      name: 'ForbiddenException',
      Code: 'ForbiddenException',
      message: `User: arn:aws:sts::123456789012:assumed-role/local-role/local-session is not authorized to perform: schemas:DescribeSchema on resource: ${ARN}:schema/${REGISTRY}/_own-schema because no identity-based policy allows the schemas:DescribeSchema action`,
    });
    expect(error.$metadata.httpStatusCode).toBe(403);
  });

  test('requires a signature for its own service', async () => {
    const [request] = [await describeSchema('_own-schema').then(() => lambda.requests[0])];
    const { authorization = '', 'x-amz-date': date = '' } = request?.headers ?? {};
    expect(authorization).toMatch(/Credential=[^,]*\/us-east-1\/schemas\/aws4_request,/);
    const response = await fetch(`${lambda.url}${request?.path}`, {
      headers: {
        ...request?.headers,
        authorization: authorization.replace('/schemas/', '/lambda/'),
        'x-amz-date': date,
      },
    });
    expect(response.status).toBe(403);
    expect(await response.json()).toEqual({
      message: "Credential should be scoped to correct service: 'schemas'.",
    });
  });
});

describe('DescribeRegistry', () => {
  test('finds the registry as soon as one function has a test event', async () => {
    expect(await describeRegistry(REGISTRY)).toMatchObject({
      RegistryName: REGISTRY,
      RegistryArn: `${ARN}:registry/${REGISTRY}`,
    });
    const empty = await startLocalLambda({ functions: { none: SAMPLE_FUNCTIONS.throws } });
    try {
      const response = await fetch(`${empty.url}/v1/registries/name/${REGISTRY}`, {
        headers: { ...lambda.requests[0]?.headers },
      });
      expect(await response.json()).toEqual({
        Code: 'NotFoundException',
        Message: `Registry with name ${REGISTRY} does not exist.`,
      });
    } finally {
      await empty.close();
    }
  });

  test('can be denied', async () => {
    denial = { kind: 'explicit-deny-identity' };
    expect((await errorOf(describeRegistry(REGISTRY))).message).toMatch(
      /perform: schemas:DescribeRegistry on resource: .*:registry\/lambda-testevent-schemas with an explicit deny/,
    );
  });
});
