// Replaces @smithy/core/event-streams in the bundle. AWS's clients import it for every request, and it loads zlib and
// builds a table for checksums, which takes 2 ms and which only a response that is an event stream needs.
// Provides what these clients use to read one, and loads the decoder with the first response.
const load = () => import('../../../../node_modules/@smithy/core/dist-es/submodules/event-streams/index.js');

function sendNone() {
  throw new Error('nothing that sends an event stream is in the bundle: see script/aliases/@smithy/core');
}

export const eventStreamSerdeProvider = (options) => ({
  async *deserialize(body, deserializer) {
    const { EventStreamMarshaller } = await load();
    yield* new EventStreamMarshaller(options).deserialize(body, deserializer);
  },
  serialize: sendNone,
});

export const resolveEventStreamSerdeConfig = (config) =>
  Object.assign(config, { eventStreamMarshaller: config.eventStreamSerdeProvider(config) });

export class EventStreamSerde {
  #options;

  constructor(options) {
    this.#options = options;
  }

  async deserializeEventStream(stream) {
    const { EventStreamSerde: Serde } = await load();
    return new Serde(this.#options).deserializeEventStream(stream);
  }

  async serializeEventStream() {
    sendNone();
  }
}
