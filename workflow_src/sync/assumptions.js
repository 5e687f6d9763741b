/**
 * Everything known or derived about the SCM audit API; if a real tenant answers differently, only this table changes.
 * Known: path, parameters, cursor in the header `token` and back as the parameter `token`, `[]` at the end.
 * Derived: the names of a record's fields, hence the alternatives; the first that is present is used.
 */
export const SCM = {
  path: "/api/v1/records",
  cursorHeader: "token",
  lists: ["records", "data", "items", "content"],
  errors: ["description", "message", "error_description", "error", "detail", "title"],
  /** L2: in an object around the records: fields that say how it went, fields that say what is wrong, and fine values. */
  signs: {
    outcomes: /^(status|status_?code|code|result|state|outcome|success|succeeded|ok)$/i,
    trouble: /error|exception|^fault|fail|warning|partial|incomplete|degraded|timed?_?out|truncated/i,
    fine: /^(|0|2\d\d|ok|okay|true|success(ful)?|succeeded|completed?|done|none)$/i,
  },
  /** L11: what to check when the audit API answers with a status. @type {Record<number, string>} */
  hints: {
    401: "do scmTokenUrl and scmApiUrl belong to the same SCM instance?",
    402: "is the subscription of this SCM account active?",
    403: "is audit API access enabled for this key?",
    404: "is scmApiUrl right?",
  },
  fields: {
    id: ["id", "uuid", "guid", "recordId", "eventId"],
    time: ["timestamp", "time", "eventTime", "created", "createdAt", "date"],
    service: ["service", "source", "component"],
    action: ["action.actionName", "action", "actionName", "operation"],
    category: ["category", "eventCategory"],
    details: ["details", "description", "message", "data"],
    type: ["type", "eventType"],
    status: ["status", "result", "outcome"],
    objectType: ["objectType", "object.type"],
    objectId: ["objectId", "object.id"],
    objectName: ["objectName", "object.name"],
    customer: ["customerId", "customer.id"],
    actor: ["actor", "user", "admin.login", "initiator"],
    address: ["ip", "address", "remoteAddress"],
  },
  /** Statuses that say how an action ended, in Dynatrace's words; others say nothing about it. */
  results: [
    { status: /^(ok|success(ful)?|succeeded|completed?|done)$/i, name: "Succeeded", outcome: "success" },
    { status: /^(err(or)?|fail(ed|ure)?|denied|refused|reject(ed)?|declined)$/i, name: "Failed", outcome: "failure" },
  ],
  /** The first rule that matches gives the severity; the vendor says only "by the action type". */
  severity: [
    { status: /^(?!success$|ok$|$)/i, level: "ERROR" },
    { action: /fail|error|denied|reject|invalid/i, level: "ERROR" },
    { action: /revoke|delete|remove|suspend|expire|decline|disable|lock|cancel/i, level: "WARN" },
    { level: "INFO" },
  ],
};
