import { randomUUID } from 'node:crypto';
import { InvalidInputError, quote } from '../inputs/problems.ts';
import type { Resumption } from '../journal/resumption.ts';
import type { Clients } from '../lambda/client.ts';
import { toUnresolvedEarlier } from '../lambda/failures.ts';
import { REAL_TIMING } from '../lambda/timing.ts';
import { isFields, messageOf } from '../shared/values.ts';
import type { StepParts } from './parts.ts';

/** Opens the journal and finds the invocations that are left. Throws an InvalidInputError if it can't be used. */
export async function resume(
  { plan, environment }: StepParts,
  clients: Clients,
): Promise<Resumption | undefined> {
  const file = plan.journalFile;
  if (file === undefined) return undefined;
  const [{ Journal }, { Resumption }] = await Promise.all([
    import('../journal/journal.ts'),
    import('../journal/resumption.ts'),
  ]);
  const place = { file, temporaryFolder: environment.temporaryFolder };
  const journal = await Journal.open(place, randomUUID()).catch((error: unknown) => {
    const why = isFields(error) && error['name'] === 'JournalError' ? '' : 'cannot be used: ';
    throw new InvalidInputError([`journal ${quote(file)} ${why}${messageOf(error)}.`]);
  });
  return Resumption.of(plan.invocations, {
    journal,
    retry: plan.policy.retry,
    waitsFor: { event: plan.waitForEvent, execution: plan.waitForDurableExecution },
    regionOf: ({ region }) => clients.of(region).region(),
    toUnresolved: toUnresolvedEarlier,
    now: REAL_TIMING.now,
  });
}
