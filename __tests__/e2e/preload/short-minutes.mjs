// A minute of a timer is over after 50 ms. All other timers are as long as they are.
const setRealTimeout = globalThis.setTimeout;
globalThis.setTimeout = Object.assign(
  (callback, ms, ...rest) => setRealTimeout(callback, ms === 60_000 ? 50 : ms, ...rest),
  setRealTimeout,
);
