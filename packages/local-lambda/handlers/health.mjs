const startedAt = Date.now();

// Responds like an HTTP health check behind API Gateway: the body is a JSON string.
export const handler = async () => ({
  statusCode: 200,
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify({
    status: 'healthy',
    uptimeMs: Date.now() - startedAt,
    version: process.env.APP_VERSION,
  }),
});
