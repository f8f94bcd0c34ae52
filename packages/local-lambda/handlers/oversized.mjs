// Returns a string of {"bytes": n} bytes as JSON, quotation marks included; the limit is 6,291,556.
export const handler = async (event) => 'x'.repeat((event?.bytes ?? 6_291_557) - 2);
