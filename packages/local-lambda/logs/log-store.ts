/** One event of a log as CloudWatch keeps it. */
export type LogEvent = Readonly<{
  logGroup: string;
  logStream: string;
  /** Of the text format with the line break at its end, of the JSON format without. */
  message: string;
  /** Milliseconds since 1970. */
  timestamp: number;
  /** When the event can be read, in milliseconds since 1970. */
  ingestionTime: number;
  /** 56 digits: their order is the order in which events are read. */
  eventId: string;
}>;

/** What is written to a log stream; without a timestamp it is the time of the write. */
export type LogWrite = Readonly<{
  logGroup: string;
  logStream: string;
  message: string;
  timestamp?: number;
}>;

/** How an event gets into CloudWatch. */
export type LogDelivery = Readonly<{
  /** How long after it was written the event can be read; default 0. */
  delayMs?: number;
  /** In place of the time when it was written. */
  timestamp?: number;
  /** The event never arrives. */
  lost?: boolean;
}>;

/** Says how an event is delivered; n counts events from 0, anew from each setDelivery. */
export type DeliveryChooser = (event: Required<LogWrite>, n: number) => LogDelivery | undefined;

type Group = { readonly events: LogEvent[]; created: boolean };

const TIMESTAMP_DIGITS = 20;
const INGESTION_DIGITS = 18;
const SEQUENCE_DIGITS = 18;

const digits = (value: number, length: number): string =>
  String(Math.max(0, Math.trunc(value))).padStart(length, '0');

/** Where an event with this timestamp would be read, before all others with the same timestamp. */
export const positionOf = (timestamp: number): string =>
  digits(timestamp, TIMESTAMP_DIGITS) + '0'.repeat(INGESTION_DIGITS + SEQUENCE_DIGITS);

/** The index of the first event whose id is greater than the position. */
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

/** The log groups of an account. Whether an event has arrived is decided when somebody reads, so there are no timers. */
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

  /** Everything that was written and is not lost, arrived or not, in the order of the writes. */
  get written(): readonly LogEvent[] {
    return this.#written;
  }

  setDelivery(chooser: DeliveryChooser | undefined): void {
    this.#chooser = chooser;
    this.#chosen = 0;
  }

  /** Creates a log group without events; any other exists from its first event on. */
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

  /** The events of a group, in the order in which they are read; many of them may not have arrived. */
  eventsOf(logGroup: string): readonly LogEvent[] {
    return this.#groups.get(logGroup)?.events ?? [];
  }

  /** Says which events have arrived by now. */
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

  /** Forgets all events, and how they are delivered; groups that were created stay. */
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
