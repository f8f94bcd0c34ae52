import { createCipheriv } from 'node:crypto';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';

const PIECE = Buffer.alloc(65_536);

// The same bytes each time, from AES-128-CTR with a zero key and counter, so that their SHA-256 is predictable.
function* bytesOf(length) {
  const cipher = createCipheriv('aes-128-ctr', Buffer.alloc(16), Buffer.alloc(16));
  for (let left = length; left > 0; left -= PIECE.length) {
    yield cipher.update(PIECE.subarray(0, left));
  }
}

const ENDINGS = {
  end: (stream) => stream.end(),
  throw: () => {
    throw new RangeError('The stream failed');
  },
  destroy: (stream) => stream.destroy(),
  exit: () => process.exit(3),
  hang: () => sleep(1_000_000),
};

// Streams {"bytes": n}, or {"lines": n, "everyMs": m}, then ends as the event says: end, throw, destroy, exit or hang.
// {"contentType": ...} sets the content type first.
export const handler = awslambda.streamifyResponse(async (event, responseStream) => {
  if (event?.contentType !== undefined) responseStream.setContentType(event.contentType);
  for (const piece of bytesOf(event?.bytes ?? 0)) {
    if (!responseStream.write(piece)) await once(responseStream, 'drain');
  }
  for (let line = 1; line <= (event?.lines ?? 0); line++) {
    responseStream.write(`line ${line}\n`);
    await sleep(event.everyMs ?? 0);
  }
  console.log('written');
  await ENDINGS[event?.ending ?? 'end'](responseStream);
});
