import { randomUUID } from 'node:crypto';
import { endGroup, info, startGroup } from '@actions/core';

// A runner trims white space, and its comparison ignores characters such as controls and formats. A lone surrogate
// arrives as U+FFFD.
const UNSEEN = /[[^\p{L}\p{N}\p{P}\p{S}\r\n][\p{DI}\uFFFD]]/gv;

/**
 * Whether a runner might read a line of a text as a command: a line that starts with `::`, also after a CR, or has
 * `##[` anywhere (ActionCommand.cs of actions/runner). True if in doubt.
 */
export function mayContainCommand(text: string): boolean {
  // This check saves compiling the pattern, which takes a third of a millisecond. Most steps do not need the pattern.
  if (text.indexOf(':') === text.lastIndexOf(':') && !text.includes('#')) return false;
  const seen = text.replace(UNSEEN, '');
  return /(?:^|[\r\n])::/.test(seen) || seen.includes('##[');
}

/**
 * Foreign text for the log. Between `::stop-commands::` and its token, a runner reads no line as a command. The text
 * must not contain the token.
 */
export function fence(foreign: string, token: string): string {
  return `::stop-commands::${token}\n${foreign}\n::${token}::`;
}

/** A group in the log, with foreign text. */
export type LogGroup = Readonly<{ title: string; foreign: string }>;

// One token for the whole process, because a runner keeps every token as a secret until the job ends.
const TOKEN = randomUUID();

/** Writes foreign text into the log so that a runner reads none of it as a command. */
export function writeForeign(text: string): void {
  if (!mayContainCommand(text)) {
    info(text);
    return;
  }
  // A runner compares tokens without regard to case.
  const isKnown = text.toLowerCase().includes(TOKEN);
  info(fence(text, isKnown ? randomUUID() : TOKEN));
}

/** Writes a group into the log. */
export function writeGroup({ title, foreign }: LogGroup): void {
  startGroup(title);
  writeForeign(foreign);
  endGroup();
}
