import { test } from '@jest/globals';

/** A test that takes 0.1 s or more because of large or random inputs. `script/test unit` skips it. */
export const heavyTest = process.env['SKIP_HEAVY_TESTS'] === undefined ? test : test.skip;
