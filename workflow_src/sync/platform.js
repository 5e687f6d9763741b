// @ts-check
/**
 * Sectigo SCM audit records into Dynatrace logs: the script of the workflow's only task.
 *
 * A *leg* is one execution of this script. The platform kills a script at 120 s without any clean-up, so a leg stops at
 * about 100 s with its progress saved, and starts the next leg if records are waiting. Legs that start each other are a
 * *chain*. Delivery is at least once: the checkpoint advances only past records that log ingest has accepted, so a kill
 * repeats records and never skips them. Every record has an `event.id`, by which a query drops repeats
 * (`| dedup event.id`).
 *
 * Permissions of the workflow's actor: app-engine:functions:run, environment-api:credentials:read and :write with
 * environment:roles:viewer (checkpoint and lock are vault entries), automation:workflows:read (has the lock's owner
 * ended?) and automation:workflows:run (starts the next leg). Without the last two the script works and says what it
 * cannot do.
 *
 * Read the parameters first, then `sync` (the whole run), then the steps that it calls. The decisions are explained in
 * docs/how-the-sync-script-works.md.
 */
import { executionsClient, workflowsClient } from "@dynatrace-sdk/client-automation";
import { credentialVaultClient } from "@dynatrace-sdk/client-classic-environment-v2";
import { executionId as ownExecutionId, workflowId } from "@dynatrace-sdk/automation-utils";
import { createHash } from "node:crypto";
export { createHash, credentialVaultClient, executionsClient, ownExecutionId, workflowId, workflowsClient };
