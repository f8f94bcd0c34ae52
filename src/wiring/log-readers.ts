import path from 'node:path';
import type { Clients } from '../lambda/client.ts';
import type { InvokeContext } from '../lambda/invoker.ts';
import { REAL_TIMING } from '../lambda/timing.ts';
import type { LogsClients } from '../logs/client.ts';
import type { OutcomesFile } from '../report/outcomes-file.ts';
import type { LogThrottle } from '../report/progress.ts';
import type { StepLogs } from './function-logs.ts';
import { loadOnce } from './load-once.ts';
import type { StepParts } from './parts.ts';

// One invocation has the requests to itself; many share one a second, as an account has a few for everybody in it.
const APART_MS = { one: 200, many: 1_000 } as const;

/** The clients for logs, loaded with the first that is needed. All who read logs share them and their pace. */
const logsClientsFor = ({ plan, cancel }: StepParts, clients: Clients): (() => Promise<LogsClients>) =>
  loadOnce(async () => {
    const { LogsClients } = await import('../logs/client.ts');
    const apartMs = APART_MS[plan.invocations.length === 1 ? 'one' : 'many'];
    return new LogsClients((region) => clients.settingsFor(region), {
      ...{ timing: REAL_TIMING, cancel, apartMs },
    });
  });

/** Looks into the log of a function that may have run. What reads logs is loaded with the first that does. */
function witnessOnDemand(
  parts: StepParts,
  clients: Clients,
  logsClients: () => Promise<LogsClients>,
): InvokeContext['witness'] {
  if (!parts.environment.aws.hasLogs) return undefined;
  const witness = loadOnce(async () => {
    const [logs, { createWitness }] = await Promise.all([logsClients(), import('./function-logs.ts')]);
    return createWitness({ ...parts, clients, logs });
  });
  return async (ended) => (await witness())(ended);
}

/** What waits for accepted events. */
async function createEventWait(
  logsClients: () => Promise<LogsClients>,
  throttle: LogThrottle,
): Promise<Pick<InvokeContext, 'waitForEvent'>> {
  const [logs, { eventWait }] = await Promise.all([logsClients(), import('./function-logs.ts')]);
  return { waitForEvent: eventWait(logs, throttle) };
}

/** What reads the functions' logs, and what of it invocations need. */
export type LogReaders = Readonly<{
  logs: StepLogs | undefined;
  context: Pick<InvokeContext, 'witness' | 'onSend' | 'waitForEvent'>;
}>;

type LogReaderParts = Readonly<{ clients: Clients; outcomesFile: OutcomesFile; throttle: LogThrottle }>;

/** What reads the logs of functions is loaded only for a step that reads one. */
export async function createLogReaders(
  parts: StepParts,
  { clients, outcomesFile, throttle }: LogReaderParts,
): Promise<LogReaders> {
  const { followLog, waitForEvent } = parts.plan;
  const logsClients = logsClientsFor(parts, clients);
  const witness = witnessOnDemand(parts, clients, logsClients);
  const common = {
    ...(witness !== undefined && { witness }),
    ...(waitForEvent && (await createEventWait(logsClients, throttle))),
  };
  if (!followLog) return { logs: undefined, context: common };
  const { StepLogs } = await import('./function-logs.ts');
  const folder = path.dirname(outcomesFile.path);
  const logs = new StepLogs({ ...parts, clients, folder, logs: await logsClients() });
  return { logs, context: { ...common, onSend: (sending) => logs.begin(sending) } };
}
