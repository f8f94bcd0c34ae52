// Timers of one minute fire after 50 ms. Other timers are unchanged.
const setRealTimeout = globalThis.setTimeout;
globalThis.setTimeout = Object.assign(
  (callback, ms, ...rest) => setRealTimeout(callback, ms === 60_000 ? 50 : ms, ...rest),
  setRealTimeout,
);
