import type { ErrorObject, Event, EventType } from '@aws-sdk/client-lambda';
import { type DurableOperation, inSeconds } from './operation.ts';

/** The user's data in an event, which a reader can leave out. */
export type EventData =
  | Readonly<{ member: 'Input' | 'Result'; payload: string | undefined }>
  | Readonly<{ member: 'Error'; payload: ErrorObject | undefined }>;

/** An event of a durable execution. The end of a handler invocation has no operation. */
export type DurableEvent = Readonly<{
  type: EventType;
  operation: DurableOperation | undefined;
  details?: Readonly<Record<string, unknown>>;
  data?: EventData;
}>;

type RecordedEvent = DurableEvent & Readonly<{ id: number; at: number }>;

function dataOf(data: EventData | undefined, include: boolean): Readonly<Record<string, unknown>> {
  if (data === undefined) return {};
  return { [data.member]: include ? { Payload: data.payload, Truncated: false } : { Truncated: true } };
}

/** Turns the event into an Event of the API. */
export function eventDocument(
  { type, id, at, operation, details, data }: RecordedEvent,
  includeData: boolean,
): Readonly<Partial<Record<keyof Event, unknown>>> {
  return {
    EventType: type,
    EventId: id,
    Id: operation?.id,
    Name: operation?.name,
    SubType: operation?.subType,
    ParentId: operation?.parentId,
    EventTimestamp: inSeconds(at),
    [`${type}Details`]: { ...details, ...dataOf(data, includeData) },
  };
}

/** The events of one durable execution, numbered from 1. */
export class DurableHistory {
  readonly events: RecordedEvent[] = [];

  add(event: DurableEvent, at: number): void {
    this.events.push({ ...event, id: this.events.length + 1, at });
  }
}
