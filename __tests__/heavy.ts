import { test } from '@jest/globals';

/** A test that takes a tenth of a second or more, by size or by random inputs; `script/test unit` leaves it out. */
export const heavyTest = process.env['SKIP_HEAVY_TESTS'] === undefined ? test : test.skip;
