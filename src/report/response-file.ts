import { PartialFile } from './partial-file.ts';

/** Writes a response byte for byte, its folder made where there is none. */
export async function writeResponseFile(file: string, response: Uint8Array): Promise<void> {
  const partial = await PartialFile.create(file);
  try {
    await partial.append(response);
    await partial.moveIntoPlace();
  } catch (error) {
    await partial.discard();
    throw error;
  }
}
