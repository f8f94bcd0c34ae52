// Replaces @actions/http-client in the bundle. @actions/core imports it for OIDC tokens, which this action never
// requests, and it loads undici: together 25 ms of every start.
// Provides what @actions/github uses: HttpClient, for the proxy of the requests that it sends with fetch.
import * as http from 'node:http';
import { getProxyUrl } from '@actions/http-client/lib/proxy';

export class HttpClient {
  /** Routes every fetch of the process through the proxy for this URL. The built-in fetch accepts no dispatcher. */
  getAgentDispatcher(url) {
    const proxy = getProxyUrl(new URL(url))?.href;
    if (proxy === undefined) return;
    if (http.setGlobalProxyFromEnv === undefined) {
      throw new Error(`a proxy for it needs Node.js 24.14 or later, and this is ${process.version}`);
    }
    http.setGlobalProxyFromEnv({ http_proxy: proxy, https_proxy: proxy });
  }

  /** @actions/github passes its result to Octokit as an agent, which fetch ignores. */
  getAgent() {}
}
