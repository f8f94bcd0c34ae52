// Loaded before a measured program (--require): reports at its exit what the whole process used, start-up included.
// process.resourceUsage() is getrusage(2), or its like on macOS and Windows, so that it needs no tool of the machine.
'use strict';

const { writeSync } = require('node:fs');

const REPORT = 3;

process.once('exit', () => {
  const { userCPUTime, systemCPUTime, maxRSS } = process.resourceUsage();
  writeSync(REPORT, JSON.stringify({ cpuMs: (userCPUTime + systemCPUTime) / 1_000, peakKb: maxRSS }));
});
