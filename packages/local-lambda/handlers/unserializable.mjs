// Returns a value that can't be serialized as JSON.
export const handler = async () => {
  const circle = {};
  circle.self = circle;
  return circle;
};
