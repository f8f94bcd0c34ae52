import { test } from '@jest/globals';

/** A test that needs FIFOs, sockets with a path, or symlinks without special rights. Windows has none of them. */
export const onPosix = process.platform === 'win32' ? test.skip : test;

/** A test that needs /proc. */
export const onLinux = process.platform === 'linux' ? test : test.skip;
