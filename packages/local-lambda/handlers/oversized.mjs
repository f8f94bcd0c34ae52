// Returns a string that is {"bytes": n} bytes long as JSON, including the quotation marks. The limit is 6,291,556.
export const handler = async (event) => 'x'.repeat((event?.bytes ?? 6_291_557) - 2);
