// APIs behind an HTTP API, a REST API and a load balancer, with frameworks that people use.
import { Router } from '@aws-lambda-powertools/event-handler/http';
import serverless from 'serverless-http';

const app = new Router();
app.get('/health', () => ({ ok: true }));
app.post('/orders', async ({ req }) => ({ accepted: (await req.json()).count > 0 }));

/** Powertools for AWS Lambda. */
export const powertools = async (event, context) => app.resolve(event, context);

/** A server of Node.js itself behind serverless-http, as an Express application would be. */
export const server = serverless((request, response) => {
  response.statusCode = request.url === '/health' ? 200 : 404;
  response.setHeader('content-type', 'application/json');
  response.end(JSON.stringify({ ok: response.statusCode === 200 }));
});

/** The same, with a database that can't be reached. */
export const broken = serverless((_request, response) => {
  response.statusCode = 503;
  response.setHeader('content-type', 'application/json');
  response.end(JSON.stringify({ ok: false, why: 'no database' }));
});
