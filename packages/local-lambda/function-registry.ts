import { Alias, aliasDefinitions, checkAliases, Provisioning } from './aliases.ts';
import { DeployedVersion } from './deployed-version.ts';
import {
  type FunctionDefinition,
  type FunctionVersion,
  LATEST,
  versionDefinition,
} from './function-definition.ts';
import type { UpdateCourse } from './function-states.ts';
import type { SavedTestEvents } from './test-events.ts';

type Registered = Readonly<{
  testEvents: SavedTestEvents | undefined;
  versions: ReadonlyMap<string, DeployedVersion>;
  aliases: ReadonlyMap<string, Alias>;
  /** By alias or version. */
  provisioned: ReadonlyMap<string, Provisioning>;
}>;

/** The deployed functions with their versions and aliases. */
export class FunctionRegistry {
  readonly #functions = new Map<string, Registered>();
  readonly #now: () => number;
  readonly #random: () => number;
  #deployments = 0;

  constructor({ now, random }: { now: () => number; random: () => number }) {
    this.#now = now;
    this.#random = random;
  }

  /** Deploys a function from scratch, with all its versions. */
  set(name: string, definition: FunctionDefinition): void {
    const names = [LATEST, ...Object.keys(definition.versions ?? {})];
    checkAliases(definition, new Set(names));
    this.#deployments += 1;
    const versions = names.map((version) => this.#deploy(name, definition, version));
    this.#register(name, definition, new Map(versions));
  }

  /**
   * Updates $LATEST, which takes a while. Aliases move and new versions are published immediately. Existing
   * versions do not change, as on AWS.
   */
  update(options: { name: string; definition: FunctionDefinition; course: UpdateCourse }): void {
    const { name, definition, course } = options;
    const registered = this.#functions.get(name);
    const latest = registered?.versions.get(LATEST);
    if (registered === undefined || latest === undefined) throw new Error(`There is no function ${name}.`);
    checkAliases(
      definition,
      new Set([...registered.versions.keys(), ...Object.keys(definition.versions ?? {})]),
    );
    this.#deployments += 1;
    latest.update(this.#version(name, definition, LATEST), course);
    const published = Object.keys(definition.versions ?? {})
      .filter((version) => !registered.versions.has(version))
      .map((version) => this.#deploy(name, definition, version));
    this.#register(name, definition, new Map([...registered.versions, ...published]));
  }

  /** Finds the version for a qualifier, following an alias. Undefined if there is none. */
  find(name: string, qualifier: string = LATEST): DeployedVersion | undefined {
    const registered = this.#functions.get(name);
    return registered?.versions.get(registered.aliases.get(qualifier)?.version ?? qualifier);
  }

  /** Finds the version that runs one invocation, using the weights of an alias. */
  route(name: string, qualifier: string = LATEST): DeployedVersion | undefined {
    const registered = this.#functions.get(name);
    registered?.provisioned.get(qualifier)?.noticeInvocation();
    return registered?.versions.get(registered.aliases.get(qualifier)?.route(this.#random) ?? qualifier);
  }

  /** The aliases of a function, sorted by name. Undefined if there is no such function. */
  aliases(name: string): readonly Alias[] | undefined {
    const registered = this.#functions.get(name);
    return registered && [...registered.aliases.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  /** The provisioned concurrency of an alias or version, if it has any. */
  provisioned(name: string, qualifier: string): Provisioning | undefined {
    return this.#functions.get(name)?.provisioned.get(qualifier);
  }

  /** The test events by function, for functions that have any. */
  get testEvents(): ReadonlyMap<string, SavedTestEvents> {
    const saved = new Map<string, SavedTestEvents>();
    for (const [name, { testEvents }] of this.#functions) {
      if (testEvents !== undefined) saved.set(name, testEvents);
    }
    return saved;
  }

  /** False for code that was replaced by an update or a deployment. */
  isCurrent({ functionName, version, deployment }: FunctionVersion): boolean {
    return this.find(functionName, version)?.running.deployment === deployment;
  }

  #register(
    name: string,
    definition: FunctionDefinition,
    versions: ReadonlyMap<string, DeployedVersion>,
  ): void {
    const now = this.#now;
    const { provisionedConcurrency = {}, testEvents } = definition;
    this.#functions.set(name, {
      testEvents: testEvents === undefined ? undefined : { events: testEvents, savedAt: Date.now() },
      versions,
      aliases: new Map(
        aliasDefinitions(definition).map(([alias, its]) => [alias, new Alias(alias, its, now)]),
      ),
      provisioned: new Map(
        Object.entries(provisionedConcurrency).map(([qualifier, its]) => [
          qualifier,
          new Provisioning(its, now),
        ]),
      ),
    });
  }

  #deploy(name: string, definition: FunctionDefinition, version: string): [string, DeployedVersion] {
    return [version, new DeployedVersion(this.#version(name, definition, version), this.#now)];
  }

  #version(functionName: string, definition: FunctionDefinition, version: string): FunctionVersion {
    return {
      functionName,
      version,
      definition: versionDefinition(definition, version),
      deployment: this.#deployments,
      deployedAt: Date.now(),
    };
  }
}
