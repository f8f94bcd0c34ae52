// An unexpected error in a callback that nothing awaits, after the first line is written.
const write = process.stdout.write.bind(process.stdout);

process.stdout.write = (...told) => {
  process.stdout.write = write;
  setImmediate(() => {
    throw new Error('stray');
  });
  return write(...told);
};
