import { messageOf } from '../shared/values.ts';
import { type Annotation, stepAnnotation } from './annotations.ts';
import type { ReportName, ReportProblem } from './guard.ts';

/** A kind of report. Later steps rely on a required report, so the step fails if it is not written. */
type ReportKind = Readonly<{ isRequired: boolean; title: string; what: string; fix: string }>;

const DISK = 'Check the disk space of the runner';

const KINDS: Readonly<Record<ReportName, ReportKind>> = {
  log: {
    isRequired: false,
    title: 'Log Not Written',
    what: 'The log is not complete',
    fix: 'The outcomes are in the outputs and the outcomes file.',
  },
  outcomes_file: {
    isRequired: true,
    title: 'Outcomes File Not Complete',
    what: 'The outcomes file is not complete',
    fix: `${DISK}.`,
  },
  log_file: {
    isRequired: false,
    title: 'Function Log Not Complete',
    what: 'The file of the function log is not complete',
    fix: `${DISK}.`,
  },
  response: {
    isRequired: true,
    title: 'Response Not Written',
    what: 'The file of the response was not written',
    fix: 'Check response_file, the permissions of its folder, and the disk space of the runner.',
  },
  outputs: {
    isRequired: true,
    title: 'Outputs Not Written',
    what: 'The outputs were not written',
    fix: `Later steps cannot read them. ${DISK}, and the file that GITHUB_OUTPUT names.`,
  },
  summary: {
    isRequired: false,
    title: 'Job Summary Not Written',
    what: 'The job summary was not written',
    fix: `${DISK} and the file that GITHUB_STEP_SUMMARY names, or set summary: false.`,
  },
  journal: {
    isRequired: true,
    title: 'Journal Not Complete',
    what: 'The journal is not complete',
    fix: `${DISK}. The next run reports as unknown what the journal does not have.`,
  },
  annotations: {
    isRequired: false,
    title: 'Annotations Not Written',
    what: 'The annotations are not complete',
    fix: 'The outcomes are in the outputs and the outcomes file.',
  },
  comment: {
    isRequired: false,
    title: 'Comment Not Written',
    what: 'The comment on the pull request was not written',
    fix: 'To run without the comment, set comment_on_pull_request: false.',
  },
  internal: {
    isRequired: true,
    title: 'Unexpected Error',
    what: 'An unexpected error occurred',
    fix: "Check the function's log before you retry. This is a defect of the action: report it with this message.",
  },
};

/** The annotation for a report that could not be written: what, why and how to fix it. */
export function notWritten({ report, error }: ReportProblem): Annotation {
  const { isRequired, title, what, fix } = KINDS[report];
  return stepAnnotation({
    level: isRequired ? 'error' : 'warning',
    title,
    foreign: `${what}: ${messageOf(error)}`,
    kept: fix,
  });
}

/** Whether later steps rely on a report, so that the step fails without it. */
export const isRequired = (report: ReportName): boolean => KINDS[report].isRequired;
