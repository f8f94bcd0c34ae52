import type { Invocation, InvocationKind, Invocations } from '../lambda/invocation.ts';
import { grouped } from '../shared/text.ts';

/** What is about to be invoked. The region in AWS_REGION is used for an invocation that names no region. */
type Announced = Readonly<{
  invocations: Invocations;
  maxConcurrency: number;
  jobRegion?: string;
}>;

/** The values without duplicates. */
function distinct<Value>(invocations: Invocations, read: (invocation: InvocationKind) => Value): Value[] {
  const values = new Set<Value>();
  for (const invocation of invocations) values.add(read(invocation));
  return [...values];
}

const qualified = (name: string, { qualifier, reference }: InvocationKind): string => {
  const asked = qualifier ?? reference.qualifier;
  return asked === undefined ? name : `${name}:${asked}`;
};

/** How the log and the annotations name an invocation. */
export type Labels = Readonly<{
  /** The function, with whatever distinguishes it from the others of the step. */
  functionOf: (invocation: Invocation) => string;
  /** The same, with the name of the entry if it has one, and its number if there are several entries. */
  entryOf: (invocation: Invocation) => string;
}>;

/** The labels of a step. They contain the account, region and tenant if the entries differ in these. */
export function labelsFor({ invocations, jobRegion }: Omit<Announced, 'maxConcurrency'>): Labels {
  const regionOf = ({ region = jobRegion }: InvocationKind): string | undefined => region;
  const [first] = invocations;
  const differ = (read: (invocation: InvocationKind) => string | undefined): boolean =>
    first !== undefined && invocations.some((other) => read(other) !== read(first));
  const showsAccount = differ(({ reference }) => reference.accountId);
  const showsRegion = differ(regionOf);
  const showsTenant = differ(({ tenantId }) => tenantId);
  const functionOf = (invocation: Invocation): string => {
    const { reference, tenantId } = invocation;
    const { accountId, name } = reference;
    const region = regionOf(invocation);
    return [
      qualified(showsAccount && accountId !== undefined ? `${accountId}:function:${name}` : name, invocation),
      ...(showsRegion && region !== undefined ? [`in ${region}`] : []),
      ...(showsTenant && tenantId !== undefined ? [`for tenant ${tenantId}`] : []),
    ].join(' ');
  };
  const isSingle = invocations.length === 1;
  return {
    functionOf,
    entryOf: (invocation) => {
      const { name, index } = invocation;
      const number = isSingle ? [] : [`entry ${grouped(index + 1)}`];
      const details = name === undefined ? number : [functionOf(invocation), ...number];
      const label = name ?? functionOf(invocation);
      return details.length === 0 ? label : `${label} (${details.join(', ')})`;
    },
  };
}

function announcedPlace(regions: readonly (string | undefined)[]): string {
  const [region, ...others] = regions;
  if (others.length === 0) return region === undefined ? '' : ` in ${region}`;
  return regions.includes(undefined) ? '' : ` in ${others.length + 1} regions`;
}

/**
 * The first line of the log: what is invoked, where and how, and for several invocations their number and concurrency.
 */
export function announcement({ invocations, maxConcurrency, jobRegion }: Announced): string {
  const [first] = invocations;
  if (first === undefined) return 'Nothing to invoke: this shard has no entry.';
  const functions = distinct(invocations, (invocation) => qualified(invocation.reference.name, invocation));
  const place = announcedPlace(distinct(invocations, ({ region = jobRegion }) => region));
  const types = distinct(invocations, ({ invocationType }) => invocationType).join(', ');
  const target = functions.length === 1 ? functions[0] : `${grouped(functions.length)} functions`;
  const start = `Invoking ${target}${place} (${types})`;
  if (invocations.length === 1) return start;
  return `${start}: ${grouped(invocations.length)} invocations, concurrency ${maxConcurrency}`;
}
