// The vendor's clients, unmodified, against a real HTTP port: each answer goes out as a TypeScript expression together
// with the type that the client's declarations promise for it.
//
// Reads {url, sso, client: {id, secret, scopes}, token} from stdin; writes JSON lines {type, expression} to stdout.

import * as automation from "@dynatrace-sdk/client-automation";
import * as classic from "@dynatrace-sdk/client-classic-environment-v2";
import * as grail from "@dynatrace-sdk/client-query";
import { _OAuthHttpClient as OAuthHttpClient } from "@dynatrace-sdk/http-client";

const given = JSON.parse(await new Response(Deno.stdin.readable).text());
const http = new OAuthHttpClient({
  clientId: given.client.id,
  secret: given.client.secret,
  scopes: given.client.scopes,
  environmentUrl: given.url,
  authUrl: given.sso,
});
const PACKAGES = { automation, classic, grail };
const SCHEMA = "builtin:dt-javascript-runtime.allowed-outbound-connections";
const SCRIPT =
  "export default function ({ actionExecutionId }) { console.log('hello'); return { action: actionExecutionId }; }";

function written(value) {
  if (value instanceof Date) return `new Date(${JSON.stringify(value.toISOString())})`;
  if (Array.isArray(value)) return `[${value.map(written).join(", ")}]`;
  if (value === undefined) return "undefined";
  if (value === null || typeof value !== "object") return JSON.stringify(value);
  return `{${Object.entries(value).map(([name, item]) => `${JSON.stringify(name)}: ${written(item)}`).join(", ")}}`;
}

function say(message) {
  console.log(JSON.stringify(message));
}

/** Call a method of one of the clients, report its answer, return it. A method that declares a base type takes `type`. */
async function call(from, client, method, argument, type) {
  const answer = await new PACKAGES[from][client](http)[method](argument);
  say({ type: type ?? `Awaited<ReturnType<${from}.${client}["${method}"]>>`, expression: written(answer) });
  return answer;
}

/** A call that must be refused in the envelope that the client knows. */
async function refused(from, client, method, argument, status) {
  try {
    await new PACKAGES[from][client](http)[method](argument);
  } catch (error) {
    if (PACKAGES[from].isErrorEnvelopeError(error) && error.body.error.code === status) return;
    throw error;
  }
  throw new Error(`${client}.${method} was not refused`);
}

async function workflows() {
  const flow = (method, argument) => call("automation", "WorkflowsClient", method, argument);
  const run = (method, argument) => call("automation", "ExecutionsClient", method, argument);
  const body = {
    title: "Contract of the clients",
    description: "made and removed by a test",
    isPrivate: false,
    trigger: {
      schedule: {
        trigger: { type: "interval", intervalMinutes: 10 },
        isActive: false,
        timezone: "UTC",
        rule: null,
        filterParameters: {},
      },
    },
    tasks: {
      main: {
        name: "main",
        action: "dynatrace.automations:run-javascript",
        description: "",
        input: { script: SCRIPT },
        position: { x: 0, y: 1 },
        predecessors: [],
        timeout: 300,
      },
      after: {
        name: "after",
        action: "dynatrace.automations:run-javascript",
        input: { script: SCRIPT },
        position: { x: 0, y: 2 },
        predecessors: ["main"],
        conditions: { states: { main: "SUCCESS" }, custom: "", else: "STOP" },
      },
    },
  };
  const { id } = await flow("createWorkflow", { body });
  await flow("getWorkflow", { id });
  await flow("getWorkflows", { search: "Contract of", limit: 5 });
  await flow("updateWorkflow", { id, body: { ...body, description: "" } });
  await flow("patchWorkflow", { id, body: { guide: "none" } });
  await flow("getWorkflowTasks", { id });
  await flow("getWorkflowTask", { workflowId: id, id: "main" });
  await flow("getWorkflowHistoryRecords", { id, all: true });
  await flow("getWorkflowHistoryRecord", { id, version: "1" });
  await flow("exportWorkflow", { id });
  await flow("restoreWorkflowHistoryRecord", { id, version: "1" });
  const copy = await flow("duplicateWorkflow", { id, body: { title: "Contract, a copy" } });
  await flow("deleteWorkflow", { id: copy.id });
  const started = await flow("runWorkflow", { id, body: { uniqueQualifier: crypto.randomUUID() } });
  let state = started.state;
  for (let tries = 0; state === "RUNNING"; tries++) {
    if (tries > 200) throw new Error("the run does not end");
    await new Promise((done) => setTimeout(done, 50)); // another process runs it
    state = (await new automation.ExecutionsClient(http).getExecution({ id: started.id })).state;
  }
  if (state !== "SUCCESS") throw new Error(`the run ended ${state}`);
  await run("getExecution", { id: started.id });
  await run("getExecutions", { workflow: [id], state: ["SUCCESS"], limit: 5 });
  await run("getExecutionLog", { id: started.id });
  await run("getTaskExecutions", { executionId: started.id });
  await run("getTaskExecution", { executionId: started.id, id: "main" });
  await run("getTaskExecutionInput", { executionId: started.id, id: "main" });
  const result = await run("getTaskExecutionResult", { executionId: started.id, id: "main" });
  await run("getTaskExecutionLog", { executionId: started.id, id: "main" });
  await run("getExecutionActions", { id: started.id });
  await flow("getWorkflowActions", { id });
  await call("automation", "ActionExecutionsClient", "getActionExecution", { id: result.action });
  await call("automation", "ActionExecutionsClient", "getActionExecutionLog", { id: result.action });
  await run("cancelExecution", { id: started.id });
  await flow("getWorkflow", { id });
  await flow("resetWorkflowThrottles", { id });
  await flow("deleteWorkflow", { id });
  await refused("automation", "WorkflowsClient", "getWorkflow", { id }, 404);
  await call("automation", "VersionClient", "getVersion");
  await call("automation", "SettingsClient", "getSettings");
  await call("automation", "SettingsClient", "getUserPermissions");
  await call("automation", "SchedulesClient", "getTimezones");
  await call("automation", "SchedulesClient", "previewSchedule", { body: { schedule: body.trigger.schedule } });
  await call("automation", "BusinessCalendarsClient", "getBusinessCalendars");
  await call("automation", "SchedulingRulesClient", "getRules");
}

async function vault() {
  const vault = (method, argument, type) => call("classic", "CredentialVaultClient", method, argument, type);
  const secret = "classic.CredentialsDetailsTokenResponseElement";
  const body = {
    name: "Contract of the clients",
    type: "TOKEN",
    token: "not a secret",
    description: "",
    scopes: ["APP_ENGINE"],
    allowContextlessRequests: true,
    ownerAccessOnly: true,
  };
  const { id } = await vault("createCredentials", { body });
  await vault("getCredentials", { id });
  await vault("listCredentials", { name: body.name, pageSize: 5 });
  await vault("getCredentialsDetails", { id }, secret);
  await vault("getCredentialsDetailsList", { ids: [id] }, `{ credentials: ${secret}[] }`);
  await vault("updateCredentials", { id, body: { ...body, token: "another" } });
  await vault("removeCredentials", { id });
  await refused("classic", "CredentialVaultClient", "getCredentials", { id }, 404);
}

async function settings() {
  const settings = (method, argument) => call("classic", "SettingsObjectsClient", method, argument);
  const fields = "objectId,value,updateToken,schemaId,schemaVersion,scope,created,modified,author,summary";
  const { items } = await settings("getSettingsObjects", { schemaIds: SCHEMA, scopes: "environment", fields });
  const { objectId, value, updateToken } = await settings("getSettingsObjectByObjectId", {
    objectId: items[0].objectId,
  });
  await settings("putSettingsObjectByObjectId", { objectId, validateOnly: true, body: { value, updateToken } });
  await settings("getEffectiveSettingsValues", { schemaIds: SCHEMA, scope: "environment" });
  await call("classic", "SettingsSchemasClient", "getAvailableSchemaDefinitions");
  await call("classic", "SettingsSchemasClient", "getSchemaDefinition", { schemaId: SCHEMA });
}

async function logs() {
  const record = { content: "contract of the clients", loglevel: "INFO", "log.source": "sectigo-contract" };
  await call("classic", "LogsClient", "storeLog", { type: "application/json; charset=utf-8", body: [record] });
  const old = { ...record, timestamp: "2001-01-01T00:00:00Z" };
  await call("classic", "LogsClient", "storeLog", { type: "application/json; charset=utf-8", body: [record, old] });
  const query = 'fetch logs | filter log.source == "sectigo-contract" | limit 5 | fieldsAdd n = 1, d = 1.5, t = now()';
  const dql = (method, argument) => call("grail", "QueryExecutionClient", method, argument);
  await dql("queryExecute", { body: { query, requestTimeoutMilliseconds: 5000 } });
  const { requestToken } = await dql("queryExecute", { body: { query, requestTimeoutMilliseconds: 0 } });
  await dql("queryPoll", { requestToken, requestTimeoutMilliseconds: 5000 });
  const other = await dql("queryExecute", { body: { query, requestTimeoutMilliseconds: 0 } });
  await dql("queryCancel", { requestToken: other.requestToken });
  await call("grail", "QueryAssistanceClient", "queryVerify", { body: { query } });
  await call("grail", "QueryAssistanceClient", "queryVerify", { body: { query: "fetch nothing" } });
}

async function tokens() {
  await call("classic", "AccessTokensApiTokensClient", "lookupApiToken", { body: { token: given.token } });
}

for (const part of [workflows, vault, settings, logs, tokens]) await part();
