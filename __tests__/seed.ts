/** The seed for every random choice in a test, so that runs are repeatable. */
export const SEED = 20_261_123;
