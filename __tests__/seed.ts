/** What every random choice of a test starts from, so that a run is like the one before. */
export const SEED = 20_261_123;
