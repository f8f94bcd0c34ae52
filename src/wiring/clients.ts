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

/** Warns of a wrong clock only once, although each region and each signed request can find that out. */
function clockWarning(): (offsetMs: number) => void {
  let isClockKnown = false;
  return (offsetMs) => {
    if (!isClockKnown) warnOfClock(clockNote(offsetMs));
    isClockKnown = true;
  };
}

/** The SDK's clients. The credentials that they find are registered, so that no text shows them. */
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
    // The SDK can find other credentials than those in the environment.
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

/** Opens the reader of shareable test events, which a plan may need. The reader has its own clients. */
export const openTestEvents =
  ({ environment, secrets, cancel }: Pick<StepParts, 'environment' | 'secrets' | 'cancel'>): OpenTestEvents =>
  async (proxy) => {
    const { TestEventReader } = await import('../lambda/test-events.ts');
    const clients = createClients({ proxy, ...environment.aws }, { environment, secrets });
    return new TestEventReader({ clients, timing: REAL_TIMING, cancel });
  };

/** The time of a step, and with debug logging, the listener for the requests of its clients. */
type Debugging = Readonly<{ timing: Timing }> & Pick<ClientListeners, 'activity'>;

/** The writers of debug lines, if the job has debug logging. */
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
