// Fails if people must be told that the connector is silent, or if that cannot be found out; the task after it tells them.
import { workflowsClient } from "@dynatrace-sdk/client-automation";
import { queryExecutionClient } from "@dynatrace-sdk/client-query";

const PARAMETERS = { "workflow": "", "silentMinutes": 0, "everyMinutes": 0 };
const MINUTE = 60 * 1000;
const DAY = 24 * 60 * MINUTE;

export default async function () {
  const since = Math.max(await lastReport(), await lastChange());
  const late = Date.now() - since - PARAMETERS.silentMinutes * MINUTE;
  console.log(`Last report or change of the connector: ${new Date(since).toISOString()}`);
  // One check of each day of the silence: nobody reads a mail for every check.
  if (late >= 0 && late % DAY < PARAMETERS.everyMinutes * MINUTE) throw new Error("The connector is silent");
}

/** When a run of the connector last reported, in ms since the epoch; 0 if none has. */
async function lastReport() {
  const query = `fetch logs, from: now() - 35d
| filter log.source == "sectigo-scm-connector" and connector.workflow == "${PARAMETERS.workflow}"
| filter connector.outcome != "skipped"
| summarize last = max(timestamp)`;
  const body = { query, requestTimeoutMilliseconds: 60000 };
  const { result } = await queryExecutionClient.queryExecute({ body });
  if (!result) throw new Error("The query did not end in time");
  return Date.parse(String(result.records[0]?.last)) || 0;
}

/** When it was deployed, resumed or changed, if the actor may read that: silence before is no problem. */
async function lastChange() {
  try {
    const workflow = await workflowsClient.getWorkflow({ id: PARAMETERS.workflow });
    return new Date(workflow.modificationInfo.lastModifiedTime).getTime() || 0;
  } catch (error) {
    console.warn(`The connector's workflow cannot be read: ${error}`);
    return 0;
  }
}
