import path from 'node:path';
import type { Clients } from '../lambda/client.ts';
import type { InvokeContext } from '../lambda/invoker.ts';
import { REAL_TIMING } from '../lambda/timing.ts';
import type { LogsClients } from '../logs/client.ts';
import type { OutcomesFile } from '../report/outcomes-file.ts';
import { type LogThrottle, warnOfLog } from '../report/progress.ts';
import type { LogParts, StepLogs } from './function-logs.ts';
import { loadOnce } from './load-once.ts';
import type { StepParts } from './parts.ts';

// Milliseconds between requests. An account has a few requests per second for all its users, so many invocations
// share one request per second.
const APART_MS = { one: 200, many: 1_000 } as const;

/** The clients for logs. They are loaded with the first use, and all readers of logs share them and their pace. */
const logsClientsFor = ({ plan, cancel }: StepParts, clients: Clients): (() => Promise<LogsClients>) =>
  loadOnce(async () => {
    const { LogsClients } = await import('../logs/client.ts');
    const apartMs = APART_MS[plan.invocations.length === 1 ? 'one' : 'many'];
    return new LogsClients((region) => clients.settingsFor(region), {
      ...{ timing: REAL_TIMING, cancel, apartMs },
    });
  });

/** Warns of logs that can't be read, with each text once: the log of one invocation can be read twice. */
function warningOnce({ secrets }: StepParts): (text: string) => void {
  const given = new Set<string>();
  return (text) => {
    if (!given.has(text)) warnOfLog(secrets.hide(text));
    given.add(text);
  };
}

/** Looks into the log of a function that may have run. The code for that is loaded with the first use. */
function witnessOnDemand(
  { environment, cancel }: StepParts,
  { clients, warn }: Pick<LogParts, 'clients' | 'warn'>,
  logsClients: () => Promise<LogsClients>,
): InvokeContext['witness'] {
  if (!environment.aws.hasLogs) return undefined;
  const witness = loadOnce(async () => {
    const [logs, { createWitness }] = await Promise.all([logsClients(), import('./function-logs.ts')]);
    return createWitness({ clients, logs, cancel, warn });
  });
  return async (ended) => (await witness())(ended);
}

/** The wait for accepted events. */
async function createEventWait(
  logsClients: () => Promise<LogsClients>,
  throttle: LogThrottle,
): Promise<Pick<InvokeContext, 'waitForEvent'>> {
  const [logs, { eventWait }] = await Promise.all([logsClients(), import('./function-logs.ts')]);
  return { waitForEvent: eventWait(logs, throttle) };
}

/** The readers of the functions' logs, and their part in the context of the invocations. */
export type LogReaders = Readonly<{
  logs: StepLogs | undefined;
  context: Pick<InvokeContext, 'witness' | 'onSend' | 'waitForEvent'>;
}>;

type LogReaderParts = Readonly<{ clients: Clients; outcomesFile: OutcomesFile; throttle: LogThrottle }>;

/** Creates the readers of the functions' logs. Their code is loaded only for a step that reads a log. */
export async function createLogReaders(
  parts: StepParts,
  { clients, outcomesFile, throttle }: LogReaderParts,
): Promise<LogReaders> {
  const { followLog, waitForEvent } = parts.plan;
  const logsClients = logsClientsFor(parts, clients);
  const warn = warningOnce(parts);
  const witness = witnessOnDemand(parts, { clients, warn }, logsClients);
  const common = {
    ...(witness !== undefined && { witness }),
    ...(waitForEvent && (await createEventWait(logsClients, throttle))),
  };
  if (!followLog) return { logs: undefined, context: common };
  const { StepLogs } = await import('./function-logs.ts');
  const folder = path.dirname(outcomesFile.path);
  const logs = new StepLogs({ ...parts, clients, folder, warn, logs: await logsClients() });
  return { logs, context: { ...common, onSend: (sending) => logs.begin(sending) } };
}
