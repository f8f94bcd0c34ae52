import type { Environment } from '../inputs/environment.ts';
import type { Plan } from '../inputs/plan.ts';
import type { EarlyConnection } from '../lambda/early-connection.ts';
import type { SecretTexts } from '../outcome/secret-texts.ts';
import type { ReportGuard } from '../report/guard.ts';

/** The surroundings of a step: the guard of its reports, the signal that cancels it, and its early connection. */
export type Surroundings = Readonly<{ guard: ReportGuard; cancel: AbortSignal; early?: EarlyConnection }>;

/** The parts of a step. */
export type StepParts = Surroundings &
  Readonly<{
    plan: Plan;
    environment: Environment;
    /** Texts that must not be shown: credentials at first, and later the values that masks find. */
    secrets: SecretTexts;
  }>;
