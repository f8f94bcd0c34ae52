const startedAt = Date.now();

// Answers as an HTTP health check behind API Gateway does: the body is JSON in a string.
export const handler = async () => ({
  statusCode: 200,
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify({
    status: 'healthy',
    uptimeMs: Date.now() - startedAt,
    version: process.env.APP_VERSION,
  }),
});
