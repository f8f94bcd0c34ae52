// Simulates an outcome whose JSON exceeds the maximum string length, without using gigabytes.
const { stringify } = JSON;

JSON.stringify = (value, ...options) => {
  if (value?.response?.strange === true) throw new RangeError('Invalid string length');
  return stringify(value, ...options);
};
