import { revisionOf } from './function-configuration.ts';
import {
  type AliasDefinition,
  type FunctionDefinition,
  LATEST,
  type ProvisionedConcurrency,
} from './function-definition.ts';
import { functionArn } from './function-name.ts';
import type { ProvisioningStatus, ProvisioningStep, RoutingStep } from './function-states.ts';
import { Script } from './script.ts';

/** The pattern for alias names in the service's model, as quoted in its error messages. */
export const ALIAS_NAME_PATTERN = '(?!^[0-9]+$)([a-zA-Z0-9-_]+)';

/** The function of an alias. */
type Owner = Readonly<{ region: string; accountId: string; functionName: string }>;

/** A deployed alias: the version that it points to, and the share of invocations routed to a second version. */
export class Alias {
  readonly name: string;
  readonly version: string;
  readonly #description: string;
  readonly #routing: Script<RoutingStep>;

  constructor(name: string, definition: AliasDefinition, now: () => number) {
    const [first = {}, ...coming] = definition.routing ?? [];
    this.name = name;
    this.version = definition.version;
    this.#description = definition.description ?? '';
    this.#routing = new Script([first, ...coming], now);
  }

  /** Returns the version that runs one invocation of the alias. `random` returns a number from 0 up to 1. */
  route(random: () => number): string {
    const [additional] = Object.entries(this.#routing.look('invocation').weights ?? {});
    if (additional === undefined) return this.version;
    const [version, weight] = additional;
    return random() < weight ? version : this.version;
  }

  /** Returns the response to one GetAlias request. */
  poll(owner: Owner): Readonly<Record<string, unknown>> {
    return this.#configuration(owner, this.#routing.look('poll'));
  }

  /** Returns the alias for a ListAliases response, which does not count as a poll. */
  listed(owner: Owner): Readonly<Record<string, unknown>> {
    return this.#configuration(owner, this.#routing.step);
  }

  #configuration(
    { functionName, ...account }: Owner,
    { weights = {} }: RoutingStep,
  ): Readonly<Record<string, unknown>> {
    const isWeighted = Object.keys(weights).length > 0;
    return {
      AliasArn: functionArn({ ...account, name: functionName, qualifier: this.name }),
      Name: this.name,
      FunctionVersion: this.version,
      Description: this.#description,
      ...(isWeighted ? { RoutingConfig: { AdditionalVersionWeights: weights } } : {}),
      RevisionId: revisionOf([functionName, this.name, this.version, this.#description, weights]),
    };
  }
}

const READY: ProvisioningStep = { status: 'READY' };

/** The default reasons. AWS reports this reason when the function's init phase fails. */
const STATUS_REASONS: Readonly<Record<ProvisioningStatus, string | undefined>> = {
  IN_PROGRESS: undefined,
  READY: undefined,
  FAILED: 'FUNCTION_ERROR_INIT_FAILURE',
};

/** The provisioned concurrency of an alias or version. This server does not initialize environments in advance. */
export class Provisioning {
  readonly #requested: number;
  readonly #steps: Script<ProvisioningStep>;
  readonly #modifiedAt = Date.now();

  constructor({ requested, steps = [] }: ProvisionedConcurrency, now: () => number) {
    const [first = READY, ...coming] = steps;
    this.#requested = requested;
    this.#steps = new Script([first, ...coming], now);
  }

  /** Records one invocation of the alias or version. */
  noticeInvocation(): void {
    this.#steps.look('invocation');
  }

  /** Returns the response to one GetProvisionedConcurrencyConfig request. */
  poll(): Readonly<Record<string, unknown>> {
    const { status, reason = STATUS_REASONS[status], ...counts } = this.#steps.look('poll');
    const { available = status === 'READY' ? this.#requested : 0 } = counts;
    return {
      RequestedProvisionedConcurrentExecutions: this.#requested,
      AvailableProvisionedConcurrentExecutions: available,
      AllocatedProvisionedConcurrentExecutions: counts.allocated ?? available,
      Status: status,
      StatusReason: reason,
      LastModified: new Date(this.#modifiedAt).toISOString().replace(/\.\d+Z$/, '+0000'),
    };
  }
}

/** The aliases of a definition by name, with the version always in an object. */
export function aliasDefinitions(definition: FunctionDefinition): [string, AliasDefinition][] {
  return Object.entries(definition.aliases ?? {}).map(([name, alias]) => [
    name,
    typeof alias === 'string' ? { version: alias } : alias,
  ]);
}

function routingProblem(
  { version, routing = [] }: AliasDefinition,
  versions: ReadonlySet<string>,
): string | undefined {
  const weights = routing.map((step) => Object.entries(step.weights ?? {}));
  const entries = weights.flat();
  const unknown = [version, ...entries.map(([additional]) => additional)].find((one) => !versions.has(one));
  if (unknown !== undefined) return `There is no version ${unknown}.`;
  if (weights.some(({ length }) => length > 1)) {
    return 'Number of items in AdditionalVersionWeights cannot be greater than 1';
  }
  if (entries.some(([, weight]) => !(weight >= 0 && weight <= 1))) return 'A weight must be from 0 to 1.';
  if (entries.length > 0 && version === LATEST) {
    return '$LATEST is not supported for an alias pointing to more than 1 version';
  }
  return entries.some(([additional]) => additional === version)
    ? `Invalid function version ${version}. Function version ${version} is already included in routing configuration.`
    : undefined;
}

function provisioningProblem(
  qualifier: string,
  definition: FunctionDefinition,
  versions: ReadonlySet<string>,
): string | undefined {
  const alias = aliasDefinitions(definition).find(([name]) => name === qualifier)?.[1];
  const version = alias?.version ?? qualifier;
  if (!versions.has(version)) return `There is no alias or version ${qualifier}.`;
  if (version === LATEST) {
    return 'Provisioned Concurrency Configs cannot be applied to unpublished function versions.';
  }
  return alias !== undefined && definition.provisionedConcurrency?.[version] !== undefined
    ? 'Version is pointed by a Provisioned Concurrency alias'
    : undefined;
}

/** Throws if AWS would reject an alias or its provisioned concurrency, with AWS's message if it is known. */
export function checkAliases(definition: FunctionDefinition, versions: ReadonlySet<string>): void {
  const problems = [
    ...aliasDefinitions(definition).map(([name, alias]) =>
      new RegExp(`^${ALIAS_NAME_PATTERN}$`).test(name)
        ? routingProblem(alias, versions)
        : `${name} is not a valid alias name.`,
    ),
    ...Object.keys(definition.provisionedConcurrency ?? {}).map((qualifier) =>
      provisioningProblem(qualifier, definition, versions),
    ),
  ];
  const problem = problems.find((one) => one !== undefined);
  if (problem !== undefined) throw new Error(problem);
}
