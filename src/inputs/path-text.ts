const LONGEST_PATH = 1024;

const PATHS: readonly RegExp[] = [
  /^fileb?:\/\//i,
  /^(?:\.{1,2}|~|[a-z]:)?[\\/]\S/i,
  /^[^:]+\.(?:jsonc?|jsonl|ndjson|ya?ml|txt)$/i,
];

/** Whether a text reads like the path of a file, as the AWS CLI takes one in place of the text itself. */
export const looksLikePath = (text: string): boolean =>
  text.length <= LONGEST_PATH && !/[\r\n{}[\]"]/.test(text) && PATHS.some((pattern) => pattern.test(text));
