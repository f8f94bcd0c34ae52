import { Buffer } from 'node:buffer';

/** The text of bytes that are UTF-8, read where they lie; a byte order mark stays, and U+FFFD stands for what is none. */
export const utf8 = (bytes: Uint8Array): string =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8');
