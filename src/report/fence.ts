// A runner trims white space and compares by culture, which does not see controls, formats and the like.
// A lone surrogate arrives as U+FFFD.
const UNSEEN = /[[^\p{L}\p{N}\p{P}\p{S}\r\n][\p{DI}\uFFFD]]/gv;

/**
 * Whether a runner might take a line of a text for a command: one that starts with `::`, CR ending a line too, or
 * has `##[` anywhere (ActionCommand.cs of actions/runner). When in doubt it might.
 */
export function mayHoldCommand(text: string): boolean {
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
