// Returns the event. If the environment sets key3, the response shows which configuration ran.
export const handler = async (event) => {
  const { key3 } = process.env;
  if (key3 === undefined) return event;
  return Object.fromEntries(
    Object.entries({ ...event, key3 }).sort(([one], [other]) => (one < other ? -1 : 1)),
  );
};
