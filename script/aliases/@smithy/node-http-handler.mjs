// Replaces @smithy/node-http-handler in the bundle, which loads Node.js's code for TLS. The action sends invocations
// itself (src/lambda/exchange.ts), and in most steps the SDK sends nothing. This handler loads the SDK's handler with the
// first request, such as that of a credential provider.
import { streamCollector as collect } from '@smithy/core/serde';

export const streamCollector = (stream) => collect(stream);

export class NodeHttpHandler {
  metadata = { handlerProtocol: 'http/1.1' };
  #options;
  #updates = [];
  #loaded;

  static create(given) {
    return typeof given?.handle === 'function' ? given : new NodeHttpHandler(given);
  }

  constructor(options) {
    this.#options = options;
  }

  async #load() {
    const sdk = await import('../../../node_modules/@smithy/node-http-handler/dist-es/node-http-handler.js');
    const handler = new sdk.NodeHttpHandler(this.#options);
    for (const update of this.#updates) handler.updateHttpClientConfig(...update);
    return handler;
  }

  async handle(...request) {
    this.#loaded ??= this.#load();
    return (await this.#loaded).handle(...request);
  }

  updateHttpClientConfig(...update) {
    this.#updates.push(update);
    this.#loaded?.then((handler) => handler.updateHttpClientConfig(...update));
  }

  httpHandlerConfigs() {
    return {};
  }

  destroy() {
    this.#loaded?.then((handler) => handler.destroy());
  }
}
