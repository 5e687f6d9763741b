// @ts-check
/**
 * Sectigo SCM audit records into Dynatrace logs: the script of the workflow's only task.
 *
 * One invocation is a *leg*: the platform kills a script at 120 s without any clean-up, so a leg stops by itself at
 * about 100 s with its progress saved, and starts the workflow again while records are waiting. Promise: at least
 * once. The checkpoint moves only behind records that log ingest has accepted, so a kill repeats records, never
 * skips them; every record carries `event.id`, by which a query drops repeats (`| dedup event.id`).
 *
 * Permissions of the workflow's actor: app-engine:functions:run, environment-api:credentials:read and :write with
 * environment:roles:viewer (checkpoint and lock live in the vault), automation:workflows:read (is the lock's owner
 * still alive?) and automation:workflows:run (next leg). The last two may be missing: the script says what it loses.
 *
 * Reading order: parameters, `sync` (the whole run), then the steps it names. Decisions: docs/how-the-sync-script-works.md.
 */
import { executionsClient, workflowsClient } from "@dynatrace-sdk/client-automation";
import { credentialVaultClient } from "@dynatrace-sdk/client-classic-environment-v2";
import { executionId as ownExecutionId, workflowId } from "@dynatrace-sdk/automation-utils";
export { credentialVaultClient, executionsClient, ownExecutionId, workflowId, workflowsClient };
