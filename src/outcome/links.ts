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

/** Where a function logs: its log group if it is known, or else the default log group of its name. */
export type LogLocation = Readonly<{ functionName: string; region: string; logGroup?: string | undefined }>;

// Source: CreateLogGroup of the CloudWatch Logs API. Any other text is not the name of a log group.
const LOG_GROUP = /^[\w./#-]{1,512}$/;

/** Whether a text can be the name of a log group. */
export const isLogGroup = (text: string): boolean => LOG_GROUP.test(text);

function logEventsUrl({ functionName, region, logGroup = '' }: LogLocation, query: string): string {
  const host = PARTITIONS.find(({ prefix }) => prefix.test(region))?.host(region) ?? '';
  const group = encodeTwice(isLogGroup(logGroup) ? logGroup : `/aws/lambda/${functionName}`);
  return `https://${host}/cloudwatch/home?region=${region}#logsV2:log-groups/log-group/${group}/log-events$3F${query}`;
}

/** The CloudWatch console's page with the log events of one invocation. */
export function requestUrl(place: LogLocation & Readonly<{ requestId: string }>): string {
  return logEventsUrl(place, `filterPattern$3D${encodeTwice(`"${place.requestId}"`)}`);
}

/** The page with a function's log events from one moment to another. */
export function periodUrl(place: LogLocation & Readonly<{ from: Date; to: Date }>): string {
  return logEventsUrl(place, `start$3D${place.from.getTime()}$26end$3D${place.to.getTime()}`);
}

// The period is wider than the invocation, because clocks differ and a function can run for 15 minutes.
const LOOK_BACK_MS = 60_000;
const LONGEST_RUN_MS = 900_000;

/** The page with the log events of an invocation that was sent between two moments, in milliseconds since 1970. */
export const sentUrl = (place: LogLocation, sent: Readonly<{ from: number; to: number }>): string =>
  periodUrl({
    ...place,
    from: new Date(sent.from - LOOK_BACK_MS),
    to: new Date(sent.to + LONGEST_RUN_MS),
  });
