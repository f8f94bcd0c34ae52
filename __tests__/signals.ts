import { test } from '@jest/globals';

/** A test that sends a signal to another process. Windows has none: there it would end the process at once. */
export const signalTest = process.platform === 'win32' ? test.skip : test;
