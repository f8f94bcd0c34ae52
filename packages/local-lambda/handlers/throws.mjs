// Throws a custom error, or the value that the event names.
class OrderRejectedError extends Error {
  name = 'OrderRejectedError';
  code = 'ORDER_REJECTED';
}

const VALUES = {
  string: 'only a string',
  number: 42,
  null: null,
  undefined: undefined,
  object: { reason: 'no Error at all' },
};

export const handler = async (event) => {
  if (typeof event?.value === 'string') throw VALUES[event.value];
  throw new OrderRejectedError(event?.message ?? 'Order 17 has no items');
};
