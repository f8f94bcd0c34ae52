type Partition = Readonly<{ prefix: RegExp; host: (region: string) => string }>;

// Console hosts by partition: aws-cn, aws-us-gov, aws-eusc, and aws for all the rest.
const PARTITIONS: readonly Partition[] = [
  { prefix: /^cn-/, host: (region) => `${region}.console.amazonaws.cn` },
  { prefix: /^us-gov-/, host: (region) => `${region}.console.amazonaws-us-gov.com` },
  { prefix: /^eusc-/, host: (region) => `${region}.console.amazonaws-eusc.eu` },
  { prefix: /^/, host: (region) => `${region}.console.aws.amazon.com` },
];

/** The console's own encoding of a fragment: percent-encoded twice, with `$` for the percent sign. */
const fragment = (text: string): string => encodeURIComponent(encodeURIComponent(text)).replaceAll('%', '$');

/** The CloudWatch console's page with the log events of one invocation. */
export function logEventsUrl(invocation: {
  functionName: string;
  region: string;
  requestId: string;
}): string {
  const { functionName, region, requestId } = invocation;
  const host = PARTITIONS.find(({ prefix }) => prefix.test(region))?.host(region) ?? '';
  const group = fragment(`/aws/lambda/${functionName}`);
  const filter = fragment(`?filterPattern="${requestId}"`);
  return `https://${host}/cloudwatch/home?region=${region}#logsV2:log-groups/log-group/${group}/log-events${filter}`;
}
