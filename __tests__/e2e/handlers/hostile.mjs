/** Logs a text with no line's end behind it, and answers with it. */
export const answers = async ({ text }) => {
  process.stdout.write(text);
  return { text };
};

/** Logs a text, and throws it in every part of an error. */
export const throws = async ({ text }) => {
  console.log(text);
  const error = new Error(text);
  error.name = text;
  error.stack = `${text}\n    at ${text} (/var/task/index.mjs:1:1)\n${text}`;
  throw error;
};

/** Logs and answers bytes that are no text. */
export const bytes = async ({ base64 }) => {
  process.stdout.write(Buffer.from(base64, 'base64'));
  return Buffer.from(base64, 'base64').toString('latin1');
};

/** Throws an error whose stack is a part over and over. */
export const longStack = async ({ part, bytes }) => {
  const error = new Error('boom');
  error.stack = part.repeat(bytes / part.length);
  throw error;
};
