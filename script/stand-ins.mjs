// Stands in the bundle for what @actions/core loads at once and never calls here, and with it undici: 30 ms of each start.
// @actions/github needs less of them: a fetch, which Node.js has built in, and the toolkit's word on which proxy it takes.
import * as http from 'node:http';
import { getProxyUrl } from '../node_modules/@actions/http-client/lib/proxy.js';

/** For @actions/http-client. */
export class HttpClient {
  /** What leads through a proxy to a URL: nothing that fetch would take, so it is set for all that is fetched. */
  getAgentDispatcher(url) {
    const proxy = getProxyUrl(new URL(url))?.href;
    if (proxy === undefined) return;
    if (http.setGlobalProxyFromEnv === undefined) {
      throw new Error(`a proxy for it needs Node.js 24.14 or later, and this is ${process.version}`);
    }
    http.setGlobalProxyFromEnv({ http_proxy: proxy, https_proxy: proxy });
  }

  /** The like for a client that is no fetch. */
  getAgent() {}
}

/** For undici. */
export const fetch = (url, options) => globalThis.fetch(url, options);

/** For @actions/exec. */
export function getExecOutput() {
  throw new Error('@actions/exec is not bundled: see tsconfig.bundle.json');
}
