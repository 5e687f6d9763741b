// Rendered at deployment (workflow_src/render.py); JSON, so that this line is valid before and after.
// deno-fmt-ignore
export const PARAMETERS = {"environmentUrl":"","scmApiUrl":"","scmTokenUrl":"","maxExecutionTimeMinutes":55,"attributes":{},"scmCredentialId":"","logIngestCredentialId":"","checkpointCredentialId":"","executionLockCredentialId":"","workflowConfigCredentialId":""};
