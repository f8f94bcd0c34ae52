import { stat } from 'node:fs/promises';
import path from 'node:path';
import { type Problems, quote } from './problems.ts';

/** The absolute path of `result_file`; a folder in its place is refused, one that is missing will be made. */
export async function parseResultFile(
  text: string,
  workspace: string,
  problems: Problems,
): Promise<string | undefined> {
  if (text === '') return undefined;
  const file = path.resolve(workspace, text);
  const isFolder = await stat(file).then(
    (status) => status.isDirectory(),
    () => false,
  );
  if (isFolder || /[/\\]$/.test(text)) {
    problems.add(
      `result_file ${quote(text)} is a folder. Name the file in it, for example ${quote(path.join(text, 'response.json'))}.`,
    );
    return undefined;
  }
  return file;
}
