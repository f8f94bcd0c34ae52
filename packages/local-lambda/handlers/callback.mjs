// The callback style of Node.js 22 and before.
export const handler = (event, _context, callback) => {
  console.log('before the callback');
  setImmediate(() => {
    if (event?.error) callback(new Error(event.error));
    else callback(null, { called: true });
  });
};
