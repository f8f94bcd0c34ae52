import { test } from '@jest/globals';

/** A test that sends a signal to another process. On Windows, that would end the process immediately. */
export const signalTest = process.platform === 'win32' ? test.skip : test;
