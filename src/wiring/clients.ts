import type { Environment } from '../inputs/environment.ts';
import type { Plan } from '../inputs/plan.ts';
import type { OpenTestEvents } from '../inputs/test-event.ts';
import type { ClientListeners } from '../lambda/api.ts';
import { Clients } from '../lambda/client.ts';
import { clockNote } from '../lambda/clock.ts';
import { REAL_TIMING, type Timing } from '../lambda/timing.ts';
import { warnOfClock } from '../report/progress.ts';
import { registerCredentials } from '../report/runner-secrets.ts';
import type { StepParts } from './parts.ts';

/** Warns of a wrong clock once, though each region finds out for itself, and each request that was signed before. */
function clockWarning(): (offsetMs: number) => void {
  let isClockKnown = false;
  return (offsetMs) => {
    if (!isClockKnown) warnOfClock(clockNote(offsetMs));
    isClockKnown = true;
  };
}

/** The SDK's clients. They say which credentials they find, so that no text shows them. */
export function createClients(
  { proxy, defaultRegion }: Pick<Plan, 'proxy' | 'defaultRegion'>,
  {
    environment,
    secrets,
    early,
    activity,
    onSent,
  }: Pick<StepParts, 'environment' | 'secrets' | 'early'> & Pick<ClientListeners, 'activity' | 'onSent'>,
): Clients {
  return new Clients(proxy, {
    // The SDK's chain may find other credentials than the environment names.
    onCredentials: ({ secretAccessKey, sessionToken }) =>
      registerCredentials('key', [secretAccessKey, sessionToken], secrets),
    onClockOffset: clockWarning(),
    runId: environment.github.runId,
    ...(defaultRegion !== undefined && { defaultRegion }),
    ...(activity !== undefined && { activity }),
    ...(onSent !== undefined && { onSent }),
    ...(early && { early }),
  });
}

/** Opens what reads shareable test events, which a plan may need. It has clients of its own. */
export const openTestEvents =
  ({ environment, secrets, cancel }: Pick<StepParts, 'environment' | 'secrets' | 'cancel'>): OpenTestEvents =>
  async (proxy) => {
    const { TestEventReader } = await import('../lambda/test-events.ts');
    const clients = createClients({ proxy, ...environment.aws }, { environment, secrets });
    return new TestEventReader({ clients, timing: REAL_TIMING, cancel });
  };

/** The time of a step, and where the job has debug logging, who is told what its clients do. */
type Debugging = Readonly<{ timing: Timing }> & Pick<ClientListeners, 'activity'>;

/** What writes debug lines, where the job has debug logging. */
export async function createDebug({ isDebug }: Environment, proxy: Plan['proxy']): Promise<Debugging> {
  if (!isDebug) return { timing: REAL_TIMING };
  const [{ ActivityWatch }, { writeDebugEvent, writeDebugProxies, writeDebugWait }] = await Promise.all([
    import('../lambda/activity.ts'),
    import('../report/debug-log.ts'),
  ]);
  writeDebugProxies(proxy);
  return {
    timing: {
      ...REAL_TIMING,
      sleep: (ms, signal) => {
        writeDebugWait(ms);
        return REAL_TIMING.sleep(ms, signal);
      },
    },
    activity: new ActivityWatch(writeDebugEvent),
  };
}
