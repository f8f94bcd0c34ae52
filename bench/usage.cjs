// Loaded before a measured program (--require). At its exit, reports the resources that the process used, including its
// startup. process.resourceUsage() uses getrusage(2) or the equivalent of macOS and Windows, so no other tool is needed.
'use strict';

const { writeSync } = require('node:fs');

const REPORT = 3;

process.once('exit', () => {
  const { userCPUTime, systemCPUTime, maxRSS } = process.resourceUsage();
  writeSync(REPORT, JSON.stringify({ cpuMs: (userCPUTime + systemCPUTime) / 1_000, peakKb: maxRSS }));
});
