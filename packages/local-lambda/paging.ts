import { invalidParameterValue, validationFailed } from './service-errors.ts';

/** The maximum and the default number of items per request. */
type PageBounds = Readonly<{ least: number; most: number; unasked: number }>;

const DURABLE_BOUNDS: PageBounds = { least: 0, most: 1000, unasked: 100 };
/** For Lambda's older lists, for example of aliases. */
export const LIST_BOUNDS: PageBounds = { least: 1, most: 10_000, unasked: 50 };

/** The part of a list that a request asks for. */
export type PageRequest = Readonly<{ maxItems: number; marker: string | undefined }>;

/** Reads MaxItems and Marker from a query. Throws the ServiceError that the service would return. */
export function readPageRequest(
  query: Readonly<Record<string, string>>,
  { least, most, unasked }: PageBounds = DURABLE_BOUNDS,
): PageRequest {
  const { MaxItems: text = String(unasked), Marker: marker } = query;
  const maxItems = Number(text);
  const violation = (bound: string) =>
    validationFailed([
      `Value '${text}' at 'maxItems' failed to satisfy constraint: Member must have value ${bound}`,
    ]);
  if (!Number.isInteger(maxItems) || maxItems < least) throw violation(`greater than or equal to ${least}`);
  if (maxItems > most) throw violation(`less than or equal to ${most}`);
  return { maxItems: maxItems === 0 ? unasked : maxItems, marker };
}

/** Returns a page of a list. A marker names the last item of the previous page, so the list can grow in between. */
export function pageOf<Item>(
  items: readonly Item[],
  { maxItems, marker }: PageRequest,
  keyOf: (item: Item) => string,
): Readonly<{ items: readonly Item[]; nextMarker: string | undefined }> {
  const encode = (item: Item) => Buffer.from(keyOf(item)).toString('base64');
  const before = marker === undefined ? -1 : items.findIndex((item) => encode(item) === marker);
  if (marker !== undefined && before === -1) throw invalidParameterValue('Invalid Marker');
  const start = before + 1;
  const page = items.slice(start, start + maxItems);
  const last = page.at(-1);
  const isLast = last === undefined || start + page.length === items.length;
  return { items: page, nextMarker: isLast ? undefined : encode(last) };
}
