// What the modules import from the SDK, for tests that call none of it.
export const executionsClient = {};
export const workflowsClient = {};
export const credentialVaultClient = {};
export const executionId = "11111111-1111-4111-8111-111111111111";
export const workflowId = "22222222-2222-4222-8222-222222222222";
