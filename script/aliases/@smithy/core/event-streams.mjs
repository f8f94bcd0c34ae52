// Replaces @smithy/core/event-streams in the bundle. AWS's clients import it for every request, and it loads zlib and
// builds a table for checksums, which takes 2 ms and which only a response that is an event stream needs.
// Provides what these clients use, with the decoder loaded when the first event is read.
export { EventStreamSerde } from '../../../../node_modules/@smithy/core/dist-es/submodules/event-streams/EventStreamSerde.js';

export const resolveEventStreamSerdeConfig = (config) =>
  Object.assign(config, { eventStreamMarshaller: config.eventStreamSerdeProvider(config) });

export const eventStreamSerdeProvider = (options) => ({
  async *deserialize(body, deserializer) {
    const { EventStreamMarshaller } = await import(
      '../../../../node_modules/@smithy/core/dist-es/submodules/event-streams/eventstream-serde/EventStreamMarshaller.js'
    );
    yield* new EventStreamMarshaller(options).deserialize(body, deserializer);
  },
  serialize() {
    throw new Error(
      'sending event streams is not in the bundle: see script/aliases/@smithy/core/event-streams.mjs',
    );
  },
});
