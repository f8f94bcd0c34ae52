// Returns what has no JSON.
export const handler = async () => {
  const circle = {};
  circle.self = circle;
  return circle;
};
