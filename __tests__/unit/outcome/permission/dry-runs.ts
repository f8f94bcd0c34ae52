import type { Outcome } from '../../../../src/outcome/outcome.ts';
import { notInvoked } from '../../report/factory.ts';

export const DRY_RUN = { invocation_type: 'DryRun' } as const;
export const CALLER = 'arn:aws:sts::123456789012:assumed-role/deploy/GitHubActions';
export const ARN = 'arn:aws:lambda:eu-west-1:123456789012:function';

type Asked = Partial<Pick<Outcome, 'function_name' | 'qualifier' | 'region'>>;

/** A dry run that ended with this error, with the message that the action writes. */
export const refused = (name: string, message: string, asked: Asked = {}): Outcome =>
  notInvoked({
    ...DRY_RUN,
    ...asked,
    error: { name, message: `${message}. The function did not run.`, advice: 'Do something.' },
  }).outcome;

export const denial = (resource: string, reason: string, caller = CALLER): string =>
  `User: ${caller} is not authorized to perform: lambda:InvokeFunction on resource: ${resource}${reason}`;

export const NO_IDENTITY = ' because no identity-based policy allows the lambda:InvokeFunction action';
export const NO_RESOURCE = ' because no resource-based policy allows the lambda:InvokeFunction action';

/** A dry run of the function with this ARN, denied for this reason. */
export function denied(resource: string, reason: string, caller = CALLER): Outcome {
  const [, , , region = '', , , name = '', qualifier] = resource.split(':');
  const asked = { function_name: name, region, ...(qualifier !== undefined && { qualifier }) };
  return refused('AccessDeniedException', denial(resource, reason, caller), asked);
}
