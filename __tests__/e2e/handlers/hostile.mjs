/** Logs a text without a line ending and returns it. */
export const responses = async ({ text }) => {
  process.stdout.write(text);
  return { text };
};

/** Logs a text and throws it in every part of an error. */
export const throws = async ({ text }) => {
  console.log(text);
  const error = new Error(text);
  error.name = text;
  error.stack = `${text}\n    at ${text} (/var/task/index.mjs:1:1)\n${text}`;
  throw error;
};

/** Logs and returns bytes that are not text. */
export const bytes = async ({ base64 }) => {
  process.stdout.write(Buffer.from(base64, 'base64'));
  return Buffer.from(base64, 'base64').toString('latin1');
};

/** Throws an error with a stack that repeats a part. */
export const longStack = async ({ part, bytes }) => {
  const error = new Error('boom');
  error.stack = part.repeat(bytes / part.length);
  throw error;
};
