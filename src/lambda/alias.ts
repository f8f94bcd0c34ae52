import { GetAliasCommand, GetProvisionedConcurrencyConfigCommand } from '@aws-sdk/client-lambda';
import type { LambdaApi } from './api.ts';
import { toUnsent } from './failures.ts';
import type { Invocation, InvokeFailure } from './invocation.ts';
import { mayPollAgain } from './polling.ts';
import type { Bounds } from './timing.ts';

/** A change of an alias, as a line for the log. Never foreign text. */
export type AliasChange = Readonly<{ line: string }>;

/** An alias that can't be read, so the step does not wait for it: the missing permissions, and the first refusal. */
export type HiddenAlias = Readonly<{
  invocation: Invocation;
  actions: readonly string[];
  failure: InvokeFailure;
}>;

/** What reading an alias needs: the API of its region, and callbacks. */
export type AliasReading = Bounds &
  Readonly<{
    api: LambdaApi;
    onAliasChange: (change: AliasChange) => void;
    /** Called once if the alias or its provisioned concurrency can't be read. */
    onHiddenAlias: (hidden: HiddenAlias) => void;
  }>;

/** The decision about an invocation through an alias: wait, and for what; invoke; or give up. */
export type AliasDecision = Readonly<
  | { kind: 'alias'; next: 'invoke' }
  | { kind: 'alias'; next: 'wait'; state: string }
  | { kind: 'alias'; next: 'give up'; end: InvokeFailure }
>;

type Provisioning = Readonly<{
  kind: 'provisioning';
  status: string;
  requested: number;
  available: number;
  reason: string;
}>;
type Routing = Readonly<{
  kind: 'routing';
  version: string;
  weights: readonly Readonly<{ version: string; weight: number }>[];
}>;

const PROVISIONING = 'lambda:GetProvisionedConcurrencyConfig';
const ROUTING = 'lambda:GetAlias';
const NOT_PROVISIONED: Provisioning = {
  kind: 'provisioning',
  status: 'READY',
  requested: 0,
  available: 0,
  reason: '',
};
const NOT_WEIGHTED: Routing = { kind: 'routing', version: '', weights: [] };

// Versions are numbers. Any other text is not from Lambda and is not shown.
const versionOf = (text = ''): string => (/^\d{1,20}$/.test(text) ? text : '?');
const percent = (weight: number): string => `${Number((weight * 100).toFixed(2))}%`;

const routed = ({ weights }: Routing): string =>
  weights.map(({ version, weight }) => `${percent(weight)} to version ${version}`).join(' and ');

/** Whether a qualifier is an alias: neither a version nor $LATEST. */
const isAlias = (qualifier: string): boolean => /^(?!\d+$)[\w-]+$/.test(qualifier);

/** Reads an alias whenever it is polled, and reports each change once. */
export class AliasWatch {
  readonly #invocation: Invocation;
  readonly #functionName: string;
  readonly #alias: string;
  /** The missing permissions. What they allow is not requested again. */
  readonly #hidden = new Set<string>();
  #provisioned = '';
  #routed = '';

  private constructor(invocation: Invocation, target: { functionName: string; alias: string }) {
    this.#invocation = invocation;
    this.#functionName = target.functionName;
    this.#alias = target.alias;
  }

  /** The alias of an invocation; undefined for a version, for $LATEST, and without a qualifier. */
  static of(invocation: Invocation): AliasWatch | undefined {
    const { functionName, reference } = invocation;
    const alias = invocation.qualifier ?? reference.qualifier;
    if (alias === undefined || !isAlias(alias)) return undefined;
    const suffix = reference.qualifier === undefined ? '' : `:${reference.qualifier}`;
    return new AliasWatch(invocation, {
      functionName: functionName.slice(0, functionName.length - suffix.length),
      alias,
    });
  }

  /** Polls once. Reads the weights last, because AWS removes its own when the provisioned concurrency is ready. */
  async look(reading: AliasReading, awaitsVersion: () => boolean): Promise<AliasDecision | InvokeFailure> {
    const refused: Pick<HiddenAlias, 'actions' | 'failure'>[] = [];
    const read = async <Found>(action: string, ask: () => Promise<Found | InvokeFailure>, none: Found) => {
      if (this.#hidden.has(action)) return none;
      const found = await ask();
      if (!isFailure(found) || reading.stop.aborted || mayPollAgain(found)) return found;
      this.#hidden.add(action);
      refused.push({ actions: [action], failure: found });
      return none;
    };
    const provisioning = await read(PROVISIONING, () => this.#readProvisioning(reading), NOT_PROVISIONED);
    if (provisioning.kind === 'failure') return provisioning;
    const routing = await read(ROUTING, () => this.#readRouting(reading), NOT_WEIGHTED);
    const [first] = refused;
    if (first !== undefined) {
      const actions = refused.flatMap((one) => one.actions);
      reading.onHiddenAlias({ invocation: this.#invocation, actions, failure: first.failure });
    }
    if (routing.kind === 'failure') return routing;
    this.#report(provisioning, routing, reading);
    return this.#decide(provisioning, routing, { awaitsVersion: awaitsVersion() });
  }

  #readProvisioning({ api, ...bounds }: AliasReading): Promise<Provisioning | InvokeFailure> {
    const command = new GetProvisionedConcurrencyConfigCommand({
      FunctionName: this.#functionName,
      Qualifier: this.#alias,
    });
    const asked = api.send(command, {
      bounds,
      read: (found): Provisioning => ({
        kind: 'provisioning',
        status: found.Status ?? 'READY',
        requested: Number(found.RequestedProvisionedConcurrentExecutions ?? 0),
        available: Number(found.AvailableProvisionedConcurrentExecutions ?? 0),
        reason: found.StatusReason ?? 'Lambda gives no reason',
      }),
    });
    return asked.then((found) =>
      isFailure(found) && found.name === 'ProvisionedConcurrencyConfigNotFoundException'
        ? NOT_PROVISIONED
        : found,
    );
  }

  #readRouting({ api, ...bounds }: AliasReading): Promise<Routing | InvokeFailure> {
    const command = new GetAliasCommand({ FunctionName: this.#functionName, Name: this.#alias });
    return api.send(command, {
      bounds,
      read: ({ FunctionVersion: version, RoutingConfig: routing }): Routing => ({
        kind: 'routing',
        version: versionOf(version),
        weights: Object.entries(routing?.AdditionalVersionWeights ?? {}).map(([additional, weight]) => ({
          version: versionOf(additional),
          weight: Number(weight),
        })),
      }),
    });
  }

  get #label(): string {
    return `${this.#invocation.reference.name}:${this.#alias}`;
  }

  #report(provisioning: Provisioning, routing: Routing, { onAliasChange }: AliasReading): void {
    const { requested, available } = provisioning;
    const count = `${available} of ${requested} available`;
    if (requested > 0 && count !== this.#provisioned) {
      this.#provisioned = count;
      onAliasChange({ line: `Provisioned concurrency of ${this.#label}: ${count}` });
    }
    const weights = routed(routing);
    if (weights !== this.#routed) {
      this.#routed = weights;
      const to = weights === '' ? `all invocations to version ${routing.version}` : weights;
      onAliasChange({ line: `${this.#label} routes ${to}` });
    }
  }

  #decide(
    { status, requested, available, reason }: Provisioning,
    routing: Routing,
    { awaitsVersion }: Readonly<{ awaitsVersion: boolean }>,
  ): AliasDecision {
    if (status === 'FAILED') {
      const message = `the provisioned concurrency of ${this.#label} could not be allocated: ${reason}`;
      const end = toUnsent({ name: 'ProvisionedConcurrencyFailed', message });
      return { kind: 'alias', next: 'give up', end };
    }
    if (status !== 'READY') {
      const state = `provisioned concurrency: ${available} of ${requested} available`;
      return { kind: 'alias', next: 'wait', state };
    }
    return awaitsVersion && routing.weights.length > 0
      ? { kind: 'alias', next: 'wait', state: `the alias still routes ${routed(routing)}` }
      : { kind: 'alias', next: 'invoke' };
  }
}

const isFailure = (found: unknown): found is InvokeFailure =>
  typeof found === 'object' && found !== null && 'kind' in found && found.kind === 'failure';
