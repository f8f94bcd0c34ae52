// Stands in the bundle for undici, which @actions/http-client, and so @actions/core, evaluates at every start: 30 ms and
// 400 KB. Node.js has the same fetch built in. What is left to do is to send it through a proxy where the toolkit says so.
import * as http from 'node:http';

export class ProxyAgent {
  constructor({ uri }) {
    if (http.setGlobalProxyFromEnv === undefined) {
      throw new Error(`a proxy for it needs Node.js 24.14 or later, and this is ${process.version}`);
    }
    // For all that is fetched from here on, as with the agent that it stands for: which is the comment alone.
    http.setGlobalProxyFromEnv({ http_proxy: uri, https_proxy: uri });
  }
}

export const fetch = (url, { dispatcher: _, ...options }) => globalThis.fetch(url, options);
