// The floor: the least that any action has to do. It signs an invocation (SigV4), sends it, and does nothing else.
// With OUT, it also does what every action has to do with large JSON: it checks that the event is JSON, parses the
// response, and writes it twice, as received and as part of a line of JSON.
// Usage: node bench/floor.cjs FUNCTION PAYLOAD|@FILE [LOG_TYPE [INVOCATIONS [CONCURRENCY [OUT]]]]
// Region, credentials and endpoint come from the same variables as the action's.
'use strict';

const { createHash, createHmac } = require('node:crypto');

const {
  AWS_ACCESS_KEY_ID: keyId,
  AWS_SECRET_ACCESS_KEY: secret,
  AWS_REGION: region,
  AWS_ENDPOINT_URL_LAMBDA: endpoint,
} = process.env;
const [name, given, logType = 'None', invocations = '1', concurrency = '1', out] = process.argv.slice(2);

const { protocol, hostname, port, host } = new URL(endpoint);
const { Agent, request } = protocol === 'https:' ? require('node:https') : require('node:http');
const agent = new Agent({ keepAlive: true });
const path = `/2015-03-31/functions/${name}/invocations`;
const body = given.startsWith('@') ? require('node:fs').readFileSync(given.slice(1)) : Buffer.from(given);

const sha256 = (data) => createHash('sha256').update(data).digest('hex');
const hmac = (key, data) => createHmac('sha256', key).update(data).digest();

// A signing key is valid for a day, so it is derived only once.
let key;
function keyOf(day) {
  key ??= [day, region, 'lambda', 'aws4_request'].reduce(hmac, `AWS4${secret}`);
  return key;
}

function sign() {
  const time = new Date().toISOString().replace(/[-:]|\.\d+/g, '');
  const day = time.slice(0, 8);
  const bodyHash = sha256(body);
  const signed = {
    'content-type': 'application/octet-stream',
    host,
    'x-amz-content-sha256': bodyHash,
    'x-amz-date': time,
    'x-amz-invocation-type': 'RequestResponse',
    'x-amz-log-type': logType,
  };
  const names = Object.keys(signed).join(';');
  const lines = Object.entries(signed).map(([header, value]) => `${header}:${value}\n`);
  const canonical = ['POST', path, '', lines.join(''), names, bodyHash].join('\n');
  const scope = `${day}/${region}/lambda/aws4_request`;
  const signature = hmac(keyOf(day), ['AWS4-HMAC-SHA256', time, scope, sha256(canonical)].join('\n'));
  return {
    ...signed,
    'content-length': body.length,
    authorization: `AWS4-HMAC-SHA256 Credential=${keyId}/${scope}, SignedHeaders=${names}, Signature=${signature.toString('hex')}`,
  };
}

function fail(why) {
  process.stderr.write(`${why}\n`);
  process.exit(1);
}

if (out !== undefined) JSON.parse(body.toString('utf8'));

function keep(response) {
  const { writeFileSync } = require('node:fs');
  writeFileSync(out, response);
  writeFileSync(`${out}.jsonl`, `${JSON.stringify({ response: JSON.parse(response.toString('utf8')) })}\n`);
}

let left = Number(invocations);
function next() {
  if (left === 0) return;
  left -= 1;
  const sent = request({ agent, method: 'POST', hostname, port, path, headers: sign() }, (response) => {
    const chunks = [];
    response.on('data', (chunk) => chunks.push(chunk));
    response.on('end', () => {
      if (response.statusCode !== 200) fail(`HTTP ${response.statusCode}: ${Buffer.concat(chunks)}`);
      if (out !== undefined) keep(Buffer.concat(chunks));
      next();
    });
  });
  sent.on('error', (error) => fail(error.message));
  sent.end(body);
}

for (let sender = 0; sender < Number(concurrency); sender += 1) next();
// Free connections do not keep the process alive.
