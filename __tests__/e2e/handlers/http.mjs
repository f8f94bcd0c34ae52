// Handlers behind an API: with the frameworks that people use, and written by hand.
import { Router, streamify } from '@aws-lambda-powertools/event-handler/http';
import serverless from 'serverless-http';

const read = async (request) => {
  let text = '';
  for await (const chunk of request) text += chunk;
  return text;
};

/** A server of plain Node.js behind serverless-http, which responds with what it received. */
export const server = serverless(
  async (request, response) => {
    const url = new URL(request.url, 'http://localhost');
    response.statusCode = Number(url.searchParams.get('status') ?? 200);
    response.setHeader('content-type', 'application/json');
    response.setHeader('set-cookie', ['a=1; Path=/', 'b=2']);
    response.end(
      JSON.stringify({
        method: request.method,
        path: url.pathname,
        tags: url.searchParams.getAll('tag'),
        cookie: request.headers.cookie,
        host: request.headers.host,
        custom: request.headers['x-custom'],
        ip: request.ip ?? request.connection?.remoteAddress,
        body: await read(request),
      }),
    );
  },
  { binary: ['image/*'] },
);

const app = new Router();
app.get('/health', () => ({ ok: true }));
app.get('/orders/:id', ({ params, req }) => ({
  id: params.id,
  deep: new URL(req.url).searchParams.get('deep'),
  agent: req.headers.get('user-agent'),
}));
app.post('/orders', async ({ req }) => ({ created: await req.json() }));
app.get('/down', () => ({ statusCode: 503, body: JSON.stringify({ ok: false, why: 'no database' }) }));

/** Powertools for AWS Lambda. */
export const powertools = async (event, context) => app.resolve(event, context);

/** The same, streamed: status and headers precede the body. */
export const streamed = streamify(app);

const PNG = Buffer.from('89504e470d0a1a0a', 'hex');

/** A REST API by hand: the status and a body by path. */
export const restByHand = async (event) => {
  if (event.path === '/image') {
    return {
      statusCode: 200,
      multiValueHeaders: { 'Content-Type': ['image/png'], 'Set-Cookie': ['a=1', 'b=2'] },
      body: PNG.toString('base64'),
      isBase64Encoded: true,
    };
  }
  const { stage, identity, requestTime } = event.requestContext;
  const body = { proxy: event.pathParameters?.proxy, stage, ip: identity.sourceIp, requestTime };
  return { statusCode: event.path === '/health' ? 200 : 404, headers: {}, body: JSON.stringify(body) };
};

/** A load balancer's target by hand. */
export const targetByHand = async (event) => ({
  statusCode: 200,
  statusDescription: '200 OK',
  headers: { 'Content-Type': 'application/json; charset=utf-8' },
  body: Buffer.from(JSON.stringify({ ok: 'elb' in event.requestContext })).toString('base64'),
  isBase64Encoded: true,
});

/** Returns the event's body, if that is JSON: the response that a test wants. */
export const returnsBody = async (event) => JSON.parse(event.body);

/** What a function of format 2.0 may return without a status. */
export const shorthand = async () => ({ ok: true });

/** Fails. */
export const throws = async () => {
  throw new TypeError('no such order');
};

/** Streams a body of many megabytes behind its status. */
export const streamsLong = awslambda.streamifyResponse(async (event, stream) => {
  const status = Number(event.queryStringParameters?.status ?? 200);
  const body = awslambda.HttpResponseStream.from(stream, {
    statusCode: status,
    headers: { 'content-type': 'text/csv' },
    cookies: ['a=1'],
  });
  const line = `${'x'.repeat(1023)}\n`;
  const lines = Number(event.queryStringParameters?.lines ?? 1);
  for (let at = 0; at < lines; at += 1024) body.write(line.repeat(Math.min(1024, lines - at)));
  body.end();
});
