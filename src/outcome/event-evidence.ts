import type { UnresolvedEvent } from '../lambda/invocation.ts';

/** Whether the function ran with an accepted event, by its log. If something is missing there, that proves nothing. */
export function ranOfEvent({ started, finished }: UnresolvedEvent): 'may_have_run' | 'started' | 'finished' {
  if (started === 0) return 'may_have_run';
  return finished === started ? 'finished' : 'started';
}

const tries = (count: number): string => (count === 1 ? '1 try' : `${count} tries`);

/** A sentence on what the log shows about an accepted event. */
export function eventInWords(event: UnresolvedEvent): string {
  const { started, finished } = event;
  const accepted = 'Lambda accepted the event';
  if (started === 0) return `${accepted}. Its log shows no try, so it is not known whether the function ran.`;
  const ended = finished === started ? 'all of them ended' : `${finished} of them ended`;
  return started === 1
    ? `${accepted}. Its log shows 1 try, which ${finished === 1 ? 'ended' : 'has not ended'}.`
    : `${accepted}. Its log shows ${tries(started)}; ${ended}.`;
}
