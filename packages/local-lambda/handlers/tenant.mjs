// Records the tenants that its execution environment has served. With tenant isolation, there is only one.
const tenants = new Set();

export const handler = async (_event, context) => {
  tenants.add(context.tenantId);
  return { tenantId: context.tenantId, tenants: [...tenants] };
};
