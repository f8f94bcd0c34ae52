// Loaded before a program (--require) whose SDK knows no variable for the endpoint: sends what goes to AWS over HTTPS to
// the URL in REDIRECT_TO, over HTTPS as well.
'use strict';

const https = require('node:https');

const { hostname, port } = new URL(process.env['REDIRECT_TO']);
const { request } = https;

// The Host header keeps AWS's name, which the certificate of this server does not have.
https.request = (options, listener) =>
  request({ ...options, hostname, host: hostname, port, servername: '' }, listener);
