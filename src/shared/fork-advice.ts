/** Why a run for a pull request from a fork has no credentials, and what to do about it. */
export const FORK_ADVICE = [
  'This pull request is from a fork. Its runs get no secrets and no OIDC token, so there are no AWS credentials.',
  'Run this step only where the pull request is not from a fork. Add to the step:',
  'if: github.event.pull_request.head.repo.fork == false',
].join('\n');
