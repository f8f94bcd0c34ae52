import type { Environment } from '../inputs/environment.ts';
import type { Plan } from '../inputs/plan.ts';
import type { EarlyConnection } from '../lambda/early-connection.ts';
import type { SecretTexts } from '../outcome/secret-texts.ts';
import type { ReportGuard } from '../report/guard.ts';

/** What surrounds a step: what guards its reports, what cancels it, and the connection that was opened for it. */
export type Surroundings = Readonly<{ guard: ReportGuard; cancel: AbortSignal; early?: EarlyConnection }>;

/** What a step is made of. */
export type StepParts = Surroundings &
  Readonly<{
    plan: Plan;
    environment: Environment;
    /** What must not be shown: credentials first, then what the masks find. */
    secrets: SecretTexts;
  }>;
