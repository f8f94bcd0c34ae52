type Partition = Readonly<{ prefix: RegExp; host: (region: string) => string }>;

// Console hosts by partition: aws-cn, aws-us-gov, aws-eusc, and aws for all the rest.
const PARTITIONS: readonly Partition[] = [
  { prefix: /^cn-/, host: (region) => `${region}.console.amazonaws.cn` },
  { prefix: /^us-gov-/, host: (region) => `${region}.console.amazonaws-us-gov.com` },
  { prefix: /^eusc-/, host: (region) => `${region}.console.amazonaws-eusc.eu` },
  { prefix: /^/, host: (region) => `${region}.console.aws.amazon.com` },
];

/** The console's own encoding of a value in a fragment: percent-encoded twice, with `$` for the percent sign. */
const encodeTwice = (text: string): string =>
  encodeURIComponent(encodeURIComponent(text)).replaceAll('%', '$');

function logEventsUrl(place: { functionName: string; region: string }, query: string): string {
  const { functionName, region } = place;
  const host = PARTITIONS.find(({ prefix }) => prefix.test(region))?.host(region) ?? '';
  const group = encodeTwice(`/aws/lambda/${functionName}`);
  return `https://${host}/cloudwatch/home?region=${region}#logsV2:log-groups/log-group/${group}/log-events$3F${query}`;
}

/** The CloudWatch console's page with the log events of one invocation. */
export function requestUrl(place: { functionName: string; region: string; requestId: string }): string {
  return logEventsUrl(place, `filterPattern$3D${encodeTwice(`"${place.requestId}"`)}`);
}

/** The page with a function's log events from one moment to another. */
export function periodUrl(place: { functionName: string; region: string; from: Date; to: Date }): string {
  return logEventsUrl(place, `start$3D${place.from.getTime()}$26end$3D${place.to.getTime()}`);
}

/** Lambda's request ids are UUIDs; anything else came from somewhere else and makes no link. */
export const isRequestId = (text: string): boolean =>
  /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(text);
