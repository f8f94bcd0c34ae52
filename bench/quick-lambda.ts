// Responds to every invocation like Lambda, after a wait and with the event itself, but runs nothing. It is quick, so
// that only the client is measured. A separate process: node bench/quick-lambda.ts WAIT_MS [KEY CERTIFICATE]
import { Buffer } from 'node:buffer';
import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { portOf } from '../packages/local-server/listening.ts';

const [waitMs = '0', keyFile, certificateFile] = process.argv.slice(2);

function logTail(requestId: string): string {
  const log = [
    `START RequestId: ${requestId} Version: $LATEST`,
    `END RequestId: ${requestId}`,
    `REPORT RequestId: ${requestId}\tDuration: 3.01 ms\tBilled Duration: 4 ms\tMemory Size: 128 MB\tMax Memory Used: 36 MB\t`,
  ];
  return Buffer.from(`${log.join('\n')}\n`).toString('base64');
}

function respond(request: IncomingMessage, response: ServerResponse, event: Buffer): void {
  const requestId = randomUUID();
  response.writeHead(200, {
    'content-type': 'application/json',
    'content-length': event.length,
    'x-amzn-requestid': requestId,
    'x-amz-executed-version': '$LATEST',
    ...(request.headers['x-amz-log-type'] === 'Tail' && { 'x-amz-log-result': logTail(requestId) }),
  });
  response.end(event);
}

const listener: RequestListener = (request, response) => {
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.on('end', () => {
    const event = Buffer.concat(chunks);
    if (waitMs === '0') respond(request, response, event);
    else setTimeout(respond, Number(waitMs), request, response, event);
  });
};

const server =
  keyFile === undefined || certificateFile === undefined
    ? createServer(listener)
    : createTlsServer({ key: readFileSync(keyFile), cert: readFileSync(certificateFile) }, listener);
server.listen(0, '127.0.0.1', () => {
  process.stdout.write(`${keyFile === undefined ? 'http' : 'https'}://127.0.0.1:${portOf(server)}\n`);
});
