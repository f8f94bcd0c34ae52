/** A log event as CloudWatch stores it. */
export type LogEvent = Readonly<{
  logGroup: string;
  logStream: string;
  /** Ends with a line break in the text format, but not in the JSON format. */
  message: string;
  /** Milliseconds since 1970. */
  timestamp: number;
  /** When the event becomes readable, in milliseconds since 1970. */
  ingestionTime: number;
  /** 56 digits. Events are read in the order of their IDs. */
  eventId: string;
}>;

/** An event to write to a log stream. The default timestamp is the time of the write. */
export type LogWrite = Readonly<{
  logGroup: string;
  logStream: string;
  message: string;
  timestamp?: number;
}>;

/** How an event is delivered to CloudWatch. */
export type LogDelivery = Readonly<{
  /** The delay before the event becomes readable. Default: 0. */
  delayMs?: number;
  /** Replaces the time of the write. */
  timestamp?: number;
  /** The event never arrives. */
  lost?: boolean;
}>;

/** Returns how an event is delivered. `n` counts events from 0 and restarts with each setDelivery. */
export type DeliveryChooser = (event: Required<LogWrite>, n: number) => LogDelivery | undefined;

type Group = { readonly events: LogEvent[]; created: boolean };

const TIMESTAMP_DIGITS = 20;
const INGESTION_DIGITS = 18;
const SEQUENCE_DIGITS = 18;

const digits = (value: number, length: number): string =>
  String(Math.max(0, Math.trunc(value))).padStart(length, '0');

/** The position of a timestamp, before all events with this timestamp. */
export const positionOf = (timestamp: number): string =>
  digits(timestamp, TIMESTAMP_DIGITS) + '0'.repeat(INGESTION_DIGITS + SEQUENCE_DIGITS);

/** The index of the first event with an ID greater than the position. */
export function indexAfter(events: readonly LogEvent[], position: string): number {
  let low = 0;
  let high = events.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((events[middle]?.eventId ?? '') > position) high = middle;
    else low = middle + 1;
  }
  return low;
}

/** The log groups of an account. Whether an event has arrived is decided on reading, so there are no timers. */
export class LogStore {
  readonly #now: () => number;
  readonly #groups = new Map<string, Group>();
  #written: LogEvent[] = [];
  #chooser: DeliveryChooser | undefined;
  #chosen = 0;
  #sequence = 0;

  constructor(now: () => number) {
    this.#now = now;
  }

  /** All events that were written and not lost, in the order of the writes, even if they have not arrived. */
  get written(): readonly LogEvent[] {
    return this.#written;
  }

  setDelivery(chooser: DeliveryChooser | undefined): void {
    this.#chooser = chooser;
    this.#chosen = 0;
  }

  /** Creates a log group without events. Other groups exist once their first event has arrived. */
  createGroup(logGroup: string): void {
    this.#group(logGroup).created = true;
  }

  write(write: LogWrite): void {
    const now = this.#now();
    const { logGroup, logStream, message, timestamp = now } = write;
    const delivery = this.#chooser?.({ logGroup, logStream, message, timestamp }, this.#chosen) ?? {};
    this.#chosen += 1;
    if (delivery.lost === true) return;
    this.#sequence += 1;
    const stamped = Math.trunc(delivery.timestamp ?? timestamp);
    const ingestionTime = Math.trunc(now + (delivery.delayMs ?? 0));
    const eventId =
      digits(stamped, TIMESTAMP_DIGITS) +
      digits(ingestionTime, INGESTION_DIGITS) +
      digits(this.#sequence, SEQUENCE_DIGITS);
    const event = { logGroup, logStream, message, timestamp: stamped, ingestionTime, eventId };
    this.#written.push(event);
    const { events } = this.#group(logGroup);
    if ((events.at(-1)?.eventId ?? '') < eventId) events.push(event);
    else events.splice(indexAfter(events, eventId), 0, event);
  }

  /** The events of a group in reading order. They include events that have not arrived yet. */
  eventsOf(logGroup: string): readonly LogEvent[] {
    return this.#groups.get(logGroup)?.events ?? [];
  }

  /** Returns a filter for the events that have arrived. */
  arrival(): (event: LogEvent) => boolean {
    const now = this.#now();
    return ({ ingestionTime }) => ingestionTime <= now;
  }

  hasGroup(logGroup: string): boolean {
    const group = this.#groups.get(logGroup);
    return group !== undefined && (group.created || group.events.some(this.arrival()));
  }

  hasStream(logGroup: string, logStream: string): boolean {
    const arrived = this.arrival();
    return this.eventsOf(logGroup).some((event) => event.logStream === logStream && arrived(event));
  }

  /** Removes all events and the delivery setting. Created groups stay. */
  forget(): void {
    this.setDelivery(undefined);
    this.#written = [];
    for (const { events } of this.#groups.values()) events.length = 0;
  }

  #group(logGroup: string): Group {
    const existing = this.#groups.get(logGroup);
    if (existing !== undefined) return existing;
    const group: Group = { events: [], created: false };
    this.#groups.set(logGroup, group);
    return group;
  }
}
