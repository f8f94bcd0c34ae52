import { DeployedVersion } from './deployed-version.ts';
import {
  type FunctionDefinition,
  type FunctionVersion,
  LATEST,
  versionDefinition,
} from './function-definition.ts';
import type { UpdateCourse } from './function-states.ts';

type Registered = Readonly<{
  aliases: Readonly<Record<string, string>>;
  versions: ReadonlyMap<string, DeployedVersion>;
}>;

/** The functions that are deployed, with their versions and aliases. */
export class FunctionRegistry {
  readonly #functions = new Map<string, Registered>();
  #deployments = 0;

  /** Deploys a function anew, with all its versions. */
  set(name: string, definition: FunctionDefinition): void {
    this.#deployments += 1;
    const versions = [LATEST, ...Object.keys(definition.versions ?? {})].map((version) =>
      this.#deploy(name, definition, version),
    );
    this.#functions.set(name, { aliases: definition.aliases ?? {}, versions: new Map(versions) });
  }

  /**
   * Updates $LATEST, which takes a while. Aliases move and new versions are published at once; versions that
   * were there already stay what they are, as they do on AWS.
   */
  update(options: { name: string; definition: FunctionDefinition; course: UpdateCourse }): void {
    const { name, definition, course } = options;
    const registered = this.#functions.get(name);
    const latest = registered?.versions.get(LATEST);
    if (registered === undefined || latest === undefined) throw new Error(`There is no function ${name}.`);
    this.#deployments += 1;
    latest.update(this.#version(name, definition, LATEST), course);
    const published = Object.keys(definition.versions ?? {})
      .filter((version) => !registered.versions.has(version))
      .map((version) => this.#deploy(name, definition, version));
    this.#functions.set(name, {
      aliases: definition.aliases ?? {},
      versions: new Map([...registered.versions, ...published]),
    });
  }

  /** Finds the version that a qualifier means, or undefined where there is none. */
  find(name: string, qualifier: string = LATEST): DeployedVersion | undefined {
    const registered = this.#functions.get(name);
    return registered?.versions.get(registered.aliases[qualifier] ?? qualifier);
  }

  /** False for code that an update or a deployment has replaced. */
  isCurrent({ functionName, version, deployment }: FunctionVersion): boolean {
    return this.find(functionName, version)?.running.deployment === deployment;
  }

  #deploy(name: string, definition: FunctionDefinition, version: string): [string, DeployedVersion] {
    return [version, new DeployedVersion(this.#version(name, definition, version))];
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
