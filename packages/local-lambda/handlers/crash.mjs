// Ends its process with {"exit": code} or {"signal": name}.
export const handler = async (event) => {
  process.stdout.write('last words\n');
  if (event?.signal) process.kill(process.pid, event.signal);
  else process.exit(event?.exit ?? 0);
};
