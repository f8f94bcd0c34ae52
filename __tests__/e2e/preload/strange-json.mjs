// As where the JSON of an outcome is longer than a string may be: that takes gigabytes, and this takes none.
const { stringify } = JSON;

JSON.stringify = (value, ...options) => {
  if (value?.response?.strange === true) throw new RangeError('Invalid string length');
  return stringify(value, ...options);
};
