import type { FunctionVersion } from './function-definition.ts';
import {
  ACTIVE,
  type StateStep,
  type UpdateCourse,
  type UpdateStep,
  updateSteps,
} from './function-states.ts';
import { Script } from './script.ts';

/** What GetFunctionConfiguration reports. During an update, this is already the new code. */
export type VersionStatus = Readonly<{
  version: FunctionVersion;
  state: StateStep;
  update: UpdateStep | undefined;
}>;

/** $LATEST or a published version: its code, its state, and its update in progress. */
export class DeployedVersion {
  readonly #states: Script<StateStep>;
  readonly #now: () => number;
  #version: FunctionVersion;
  #update: Readonly<{ version: FunctionVersion; steps: Script<UpdateStep> }> | undefined;

  constructor(version: FunctionVersion, now: () => number) {
    const [first = ACTIVE, ...coming] = version.definition.states ?? [];
    this.#version = version;
    this.#now = now;
    this.#states = new Script([first, ...coming], now);
  }

  /** The code that runs now: the old code while an update is in progress, and after it failed. */
  get running(): FunctionVersion {
    return this.#update?.steps.step.status === 'Successful' ? this.#update.version : this.#version;
  }

  /** Starts an update. Throws if another is in progress, which AWS rejects too. */
  update(version: FunctionVersion, course: UpdateCourse): void {
    if (this.#update?.steps.step.status === 'InProgress') {
      throw new Error(`An update of ${version.functionName} is already in progress.`);
    }
    this.#version = this.running;
    this.#update = { version, steps: new Script(updateSteps(course), this.#now) };
  }

  /** Records one GetFunctionConfiguration request. */
  poll(): VersionStatus {
    const state = this.#states.look('poll');
    const update = this.#update?.steps.look('poll');
    const shown = update === undefined || update.status === 'Failed' ? undefined : this.#update?.version;
    return { version: shown ?? this.#version, state, update };
  }

  /** Records one attempt to invoke. Returns the code that it runs, or would run in another state. */
  invoke(): Readonly<{ version: FunctionVersion; state: StateStep }> {
    const state = this.#states.look('invocation');
    const version = this.running;
    this.#update?.steps.look('invocation');
    return { version, state };
  }
}
