import { expect, test } from '@jest/globals';
import { evaluate } from '../expressions.ts';
import { entryOf, parseWorkflowText } from '../workflow-file.ts';

const WORKFLOW = `
on: push
jobs:
  job:
    runs-on: ubuntu-latest
    env:
      LITERAL: |
        first \${{ github.ref }}
          indented "quoted" \\

        last
      FOLDED: >-
        one \${{ github.ref }}
        line
    steps:
      - run: 'true'
`;

test('the text of a block with an expression has no indentation, as on a runner', async () => {
  const { root, problems } = await parseWorkflowText('workflow.yml', WORKFLOW);
  expect(problems).toEqual([]);
  const env = entryOf(entryOf(entryOf(root, 'jobs'), 'job'), 'env');
  expect(evaluate(env, { contexts: { github: { ref: 'main' } }, status: 'success' })).toEqual({
    LITERAL: 'first main\n  indented "quoted" \\\n\nlast\n',
    FOLDED: 'one main line',
  });
});

test('a workflow that is not YAML is a problem', async () => {
  const { problems } = await parseWorkflowText('workflow.yml', `${WORKFLOW}: [\n`);
  expect(problems).not.toEqual([]);
});
