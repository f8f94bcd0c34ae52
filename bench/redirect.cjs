// Loaded before a program (--require) whose SDK has no variable for the endpoint. Sends HTTPS requests for AWS to the URL
// in REDIRECT_TO instead, over HTTP.
'use strict';

const http = require('node:http');
const https = require('node:https');

const { hostname, port } = new URL(process.env['REDIRECT_TO']);
const agent = new http.Agent({ keepAlive: true });

https.request = (options, listener) =>
  http.request({ ...options, agent, protocol: 'http:', hostname, host: hostname, port }, listener);
