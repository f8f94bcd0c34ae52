import { describe, expect, test } from '@jest/globals';
import { periodUrl, requestUrl } from '../../../src/outcome/links.ts';
import { isUuid } from '../../../src/shared/text.ts';
import { REQUEST_ID } from './factory.ts';

const place = { functionName: 'my-function', region: 'eu-west-1' };
// Like the console itself: names and values are percent-encoded twice, and the `?`, `=` and `&` between them once.
const GROUP = 'logsV2:log-groups/log-group/$252Faws$252Flambda$252Fmy-function/log-events';

describe('the link to log events', () => {
  test.each([
    ['aws', 'eu-west-1', 'eu-west-1.console.aws.amazon.com'],
    ['aws', 'us-east-1', 'us-east-1.console.aws.amazon.com'],
    ['aws-cn', 'cn-north-1', 'cn-north-1.console.amazonaws.cn'],
    ['aws-us-gov', 'us-gov-west-1', 'us-gov-west-1.console.amazonaws-us-gov.com'],
    ['aws-eusc', 'eusc-de-east-1', 'eusc-de-east-1.console.amazonaws-eusc.eu'],
  ])('in the partition %s leads to the console of %s', (_, region, host) => {
    const url = requestUrl({ functionName: 'my-function', region, requestId: REQUEST_ID });
    expect(url.split('#')[0]).toBe(`https://${host}/cloudwatch/home?region=${region}`);
  });

  test('for one invocation has the log group and a filter for the request ID', () => {
    const url = requestUrl({ ...place, requestId: REQUEST_ID });
    expect(url.split('#')[1]).toBe(`${GROUP}$3FfilterPattern$3D$2522${REQUEST_ID}$2522`);
  });

  test('has the custom log group of the function', () => {
    for (const logGroup of ['/app/logs', 'a', 'orders_v1.2#x-y']) {
      const group = encodeURIComponent(encodeURIComponent(logGroup)).replaceAll('%', '$');
      const from = new Date(0);
      for (const url of [
        requestUrl({ ...place, requestId: REQUEST_ID, logGroup }),
        periodUrl({ ...place, from, to: from, logGroup }),
      ]) {
        expect(url).toContain(`#logsV2:log-groups/log-group/${group}/log-events`);
      }
    }
  });

  test.each(['', 'a) [b](https://evil.example', 'a\n', '\ud800', 'x'.repeat(513)])(
    'does not use %j as a log group',
    (logGroup) => {
      const url = requestUrl({ ...place, requestId: REQUEST_ID, logGroup });
      expect(url).toBe(requestUrl({ ...place, requestId: REQUEST_ID }));
    },
  );

  test('for a time range has the log group and both ends in milliseconds', () => {
    const from = new Date('2026-01-02T03:04:05.000Z');
    const to = new Date('2026-01-02T03:05:05.000Z');
    const url = periodUrl({ ...place, from, to });
    expect(url.split('#')[1]).toBe(`${GROUP}$3Fstart$3D1767323045000$26end$3D1767323105000`);
  });
});

test.each([
  [REQUEST_ID, true],
  [REQUEST_ID.toUpperCase(), true],
  ['', false],
  ['a-request', false],
  [`${REQUEST_ID})`, false],
  [`${REQUEST_ID}\n`, false],
  [`x${REQUEST_ID}`, false],
])('%j is a UUID, like request IDs of Lambda: %s', (text, is) => {
  expect(isUuid(text)).toBe(is);
});
