import type { Clients } from './client.ts';
import type { Clock } from './connection.ts';
import { toFailure } from './failures.ts';
import type { Answer, Delivery, Failure, Invocation } from './invocation.ts';
import { invokeOnce } from './invoke.ts';

/** Delivers one invocation: finds its region, sends it, and says how it ended. Never throws. */
export async function deliver(invocation: Invocation, clients: Clients, clock: Clock): Promise<Delivery> {
  const startedAt = clock();
  const client = clients.of(invocation.region);
  const end = (result: Answer | Failure, attempts: number, region?: string): Delivery => ({
    invocation,
    result,
    startedAt: new Date(startedAt),
    elapsedMs: clock() - startedAt,
    attempts,
    ...(region !== undefined && { region }),
  });
  let region: string;
  try {
    region = await client.config.region();
  } catch (error) {
    const failure = toFailure(error, undefined);
    return end({ ...failure, name: 'RegionMissing', message: `No AWS region: ${failure.message}` }, 0);
  }
  return end(await invokeOnce(client, invocation, clock), 1, region);
}
