/** One world: SCM, vault, log ingest, the workflow's executions and the scripts they run, on one timeline. */
import { WORKFLOW } from "./doors.js";
import { Faults } from "./faults.js";
import { Ingest } from "./ingest.js";
import { Process } from "./process.js";
import { Random } from "./random.js";
import { START_MS } from "./schedule.js";
import { ACCESS, answer, Scm } from "./scm.js";
import { Timeline } from "./timeline.js";
import { Vault } from "./vault.js";

const LIMIT_MS = 120_000;
const MOST_RUNS_A_ROUND = 60;
export const IDS = {
  scm: "CREDENTIALS_VAULT-0000000000000001",
  ingest: "CREDENTIALS_VAULT-0000000000000002",
  checkpoint: "CREDENTIALS_VAULT-0000000000000003",
  lock: "CREDENTIALS_VAULT-0000000000000004",
  config: "CREDENTIALS_VAULT-0000000000000005",
};
/** With characters that every encoding writes in its own way. */
export const SECRETS = { password: '7f!k"Q=z%\\v&Ä/9+w x<B$m', ingest: "dt0c01.ORACLE0INGEST.Q7W4+E9/R2T5Y8U1I3O6P0" };

export class World {
  /** @param {any} schedule @param {any} script @param {{verbose?: boolean, watch: any}} more `watch` is told what happens. */
  constructor(schedule, script, { verbose = false, watch }) {
    this.schedule = schedule;
    this.script = script;
    this.verbose = verbose;
    this.watch = watch;
    this.random = new Random(schedule.seed, "world");
    this.timeline = new Timeline(START_MS);
    this.faults = new Faults();
    const now = () => this.timeline.nowMs;
    this.scm = new Scm(schedule, now);
    this.ingest = new Ingest(schedule.oldRecords, now, schedule.ingestLimit);
    this.vault = new Vault({
      [IDS.scm]: {
        name: "SCM OAuth",
        type: "USERNAME_PASSWORD",
        secret: { username: "client", password: SECRETS.password },
      },
      [IDS.ingest]: { name: "Log Ingest", type: "TOKEN", secret: { token: SECRETS.ingest } },
      [IDS.checkpoint]: { name: "Checkpoint", type: "TOKEN", secret: { token: schedule.checkpoint ?? "NONE" } },
      [IDS.lock]: { name: "Lock", type: "TOKEN", secret: { token: "IDLE" } },
      [IDS.config]: { name: "Config", type: "TOKEN", secret: { token: JSON.stringify(this.#config("")) } },
    });
    /** @type {any[]} */
    this.executions = [];
    /** @type {Process[]} */
    this.processes = [];
    /** Entries deleted under a run, which a deployment makes anew. @type {string[]} */
    this.deleted = [];
    this.round = schedule.rounds[0];
    this.startedInRound = 0;
    this.mostRuns = MOST_RUNS_A_ROUND;
    /** Requests to SCM and log ingest, of one run. */
    this.mostRequests = Infinity;
    this.abandoned = false;
    /** What stands between scripts and servers: each may change a request, or answer it (lies.js).
     * @type {((request: any, next: () => ReturnType<typeof answer>) => ReturnType<typeof answer>)[]} */
    this.gateways = [];
    /** What no output may show. @type {string[]} */
    this.secrets = [...Object.values(SECRETS), ACCESS];
  }

  /** @param {string} initialCheckpoint */
  #config(initialCheckpoint) {
    return { maxRetries: 3, initHistoryDuration: this.schedule.history, initialCheckpoint };
  }

  /** Put all records into SCM; each becomes visible in its time. */
  issue() {
    for (const { records } of this.schedule.rounds) {
      this.scm.issue(
        records.map((/** @type {any} */ { us, lateS, record, shown }) => ({
          us,
          record,
          shown,
          visibleMs: us / 1000 + lateS * 1000,
        })),
      );
    }
  }

  /** Play the whole schedule; `afterRound` is called when each round has come to rest. @param {(round: any) => void} afterRound */
  play(afterRound) {
    const { timeline } = this;
    for (const round of this.schedule.rounds) {
      timeline.runUntil(START_MS + round.at);
      if (this.abandoned) return;
      this.round = round;
      this.startedInRound = 0;
      this.faults.set(round.faults);
      if (round.initialCheckpoint) {
        const token = JSON.stringify(this.#config(round.initialCheckpoint));
        this.vault.entries.get(IDS.config).secret = { token };
        this.watch.startsOver();
      }
      for (const { after, offsetMs, input = {}, queueMs } of round.starts) {
        timeline.after(after, () => this.startExecution("Schedule", input, offsetMs, undefined, queueMs));
      }
      const last = Math.max(...round.starts.map((/** @type {any} */ { after }) => after));
      timeline.runUntil(timeline.nowMs + last);
      timeline.runWhile(() => this.executions.every(({ state }) => state !== "RUNNING"));
      if (this.abandoned) return;
      if (this.deleted.length > 0) {
        // Nobody deploys while requests of the dead are still on their way.
        timeline.runUntil(timeline.nowMs + 30_000);
        this.#redeploy();
      }
      afterRound(round);
    }
  }

  /** Nothing more happens: the verdict is clear. */
  abandon() {
    this.abandoned = true;
    this.timeline.heap.length = 0;
  }

  /** Half of a request's way. */
  latency() {
    const { latencyMs: usual, alwaysSlow } = this.schedule;
    const latencyMs = this.round.quiet && !alwaysSlow ? Math.min(50, usual) : usual;
    return (latencyMs * (0.5 + this.random.next())) / 2;
  }

  /** @param {string} triggerType @param {any} input @param {number} offsetMs @param {string} [qualifier]
   * @param {number} [queueMs] Until its script begins. */
  startExecution(triggerType, input, offsetMs, qualifier, queueMs) {
    const known = qualifier && this.executions.find((execution) => execution.qualifier === qualifier);
    if (known) return known;
    const number = this.executions.length + 1;
    const id = `${String(number).padStart(8, "0")}-0000-4000-8000-${this.random.between(0, 0xffffff).toString(16)}`;
    const execution = { id, state: "RUNNING", startedMs: this.timeline.nowMs, input, triggerType, qualifier };
    this.executions.push(execution);
    this.startedInRound += 1;
    if (this.startedInRound > this.mostRuns) throw new Error("scripts start each other without end");
    this.timeline.after(queueMs ?? this.random.between(20, 3_000), () => {
      const process = new Process(this, id, number, offsetMs);
      this.processes.push(process);
      this.watch.started(process);
      this.timeline.after(LIMIT_MS, () => process.kill());
      process.start(this.script, () => {
        execution.state = process.end === "ended" ? "SUCCESS" : "ERROR";
        this.watch.ended(process);
      });
    });
    return execution;
  }

  /** The part of the environment that a URL leads to. @param {string} url */
  resolve(url) {
    const { pathname: path, searchParams: query } = new URL(url, "https://local.apps.dynatrace.com");
    const api = path.startsWith("/platform/automation/")
      ? "automation"
      : path.startsWith("/platform/classic/environment-api/v2/credentials")
      ? "vault"
      : path.startsWith("/api/v2/logs/")
      ? "logs"
      : path.startsWith("/auth/")
      ? "scm-sso"
      : "scm";
    return { api, path, query };
  }

  /** The commit of a request. @param {any} request @param {any} rule */
  serve(request, rule) {
    if (rule?.status && !rule.world_after) return fault(rule);
    let place = 0;
    const next = () => {
      const gateway = this.gateways[place++];
      return gateway ? gateway(request, next) : this.#handle(request, rule);
    };
    const handled = next();
    return rule?.world_after ? fault(rule) : handled;
  }

  /** @param {any} request @param {any} rule */
  #handle(request, rule) {
    const { process, target: { api, path, query }, method, headers, body } = request;
    const id = path.split("/").at(-1) === "details" ? path.split("/").at(-2) : path.split("/").at(-1);
    switch (api) {
      case "scm-sso":
        return this.scm.token();
      case "scm":
        return this.scm.page(query, new Headers(headers).get("authorization") ?? "");
      case "logs": {
        const { stored, ledger = [] } = this.ingest;
        const [before, told] = [stored.length, ledger.length];
        const done = this.ingest.store(body, { request, partial: rule?.world_partial ?? false });
        for (const delivery of stored.slice(before)) this.watch.delivered(delivery);
        for (const { record } of ledger.slice(told)) this.watch.told(this, process, record);
        return done;
      }
      case "vault": {
        if (method === "GET") return this.vault.get(id, path.endsWith("/details"));
        if (method === "DELETE") return this.vault.remove(id);
        const done = this.vault.put(id, body);
        if (id === IDS.checkpoint && done.status === 204) this.watch.saved(process, this.vault.value(id));
        if (done.status === 201) request.created = id;
        return done;
      }
      default:
        return this.#automation(process, path, query, method, id, body);
    }
  }

  /** @param {Process} process @param {string} path @param {URLSearchParams} query @param {string} method @param {string} id @param {string} body */
  #automation(process, path, query, method, id, body) {
    if (path.includes("/executions")) {
      if (!this.schedule.executions) return refused(403, "Missing permission automation:workflows:read");
      const shown = ({ qualifier: _, startedMs, ...execution }) => ({
        ...execution,
        workflow: WORKFLOW,
        startedAt: new Date(startedMs + (this.schedule.platformMs ?? 0)).toISOString(),
      });
      if (path.endsWith("/executions")) {
        const states = query.get("state")?.split(",");
        const found = this.executions.filter(({ state }) => !states || states.includes(state));
        return answer(200, JSON.stringify({ count: found.length, results: found.reverse().slice(0, 50).map(shown) }));
      }
      const found = this.executions.find((execution) => execution.id === id);
      return found ? answer(200, JSON.stringify(shown(found))) : refused(404, "Execution not found");
    }
    if (method === "GET") return answer(200, JSON.stringify({ id: WORKFLOW, title: "Sectigo SCM", isDeployed: true }));
    if (!this.schedule.legs) return refused(403, "Missing permission automation:workflows:run");
    const { input, uniqueQualifier } = JSON.parse(body);
    const started = this.startExecution(
      "Manual",
      input ?? {},
      this.round.quiet ? 0 : process.offsetMs,
      uniqueQualifier,
    );
    return answer(
      201,
      JSON.stringify({ id: started.id, state: "RUNNING", startedAt: new Date(started.startedMs).toISOString() }),
    );
  }

  /** @param {("checkpoint" | "lock")[]} names */
  deleteEntries(names) {
    for (const name of names) {
      this.vault.entries.delete(IDS[name]);
      this.deleted.push(IDS[name]);
    }
  }

  /** What a deployment does after somebody has deleted entries: makes them anew, empty. */
  #redeploy() {
    this.watch.redeployed(this.deleted.filter((id) => this.vault.entries.has(id)));
    for (const id of this.deleted.splice(0)) this.vault.renew(id);
  }
}

/** @param {any} rule */
function fault(rule) {
  return answer(rule.status, JSON.stringify({ error: { code: rule.status, message: "Fault" } }), rule.headers);
}

/** @param {number} status @param {string} message */
function refused(status, message) {
  return answer(status, JSON.stringify({ error: { code: status, message } }));
}
