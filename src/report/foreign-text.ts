import { randomUUID } from 'node:crypto';
import { endGroup, info, startGroup } from '@actions/core';

// A runner trims white space and compares by culture, which does not see controls, formats and the like.
// A lone surrogate arrives as U+FFFD.
const UNSEEN = /[[^\p{L}\p{N}\p{P}\p{S}\r\n][\p{DI}\uFFFD]]/gv;

/**
 * Whether a runner might take a line of a text for a command: one that starts with `::`, also after a CR, or
 * has `##[` anywhere (ActionCommand.cs of actions/runner). When in doubt it might.
 */
export function mayContainCommand(text: string): boolean {
  // The pattern takes a third of a millisecond to compile, and most steps log nothing that it is needed for.
  if (text.indexOf(':') === text.lastIndexOf(':') && !text.includes('#')) return false;
  const seen = text.replace(UNSEEN, '');
  return /(?:^|[\r\n])::/.test(seen) || seen.includes('##[');
}

/**
 * Foreign text for the log: between `::stop-commands::` and its token a runner takes no line for a command.
 * The text must not know the token.
 */
export function fence(foreign: string, token: string): string {
  return `::stop-commands::${token}\n${foreign}\n::${token}::`;
}

/** A foldable part of the log, with text that is not ours. */
export type LogGroup = Readonly<{ title: string; foreign: string }>;

// One for the whole process: a runner keeps every token as a secret until the job ends.
const TOKEN = randomUUID();

/** Writes foreign text into the log so that a runner takes none of it for a command. */
export function writeForeign(text: string): void {
  if (!mayContainCommand(text)) {
    info(text);
    return;
  }
  // A runner compares tokens without regard to case.
  const isKnown = text.toLowerCase().includes(TOKEN);
  info(fence(text, isKnown ? randomUUID() : TOKEN));
}

/** Writes a foldable part of the log. */
export function writeGroup({ title, foreign }: LogGroup): void {
  startGroup(title);
  writeForeign(foreign);
  endGroup();
}
