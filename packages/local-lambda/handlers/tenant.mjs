// Remembers which tenants its execution environment has served: with tenant isolation, one.
const tenants = new Set();

export const handler = async (_event, context) => {
  tenants.add(context.tenantId);
  return { tenantId: context.tenantId, tenants: [...tenants] };
};
