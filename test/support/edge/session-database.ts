import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Miniflare } from "miniflare";
import { unstable_splitSqlQuery as statementsOf } from "wrangler";
import { MIGRATIONS } from "../../../src/tools/check/session-database.ts";
import { FaultProxy } from "../../chaos/proxy.ts";
import { type DatabaseBinding, startWorkerd } from "./workerd.ts";

/** Miniflare's D1 in a process of its own, so that isolates which are killed and started again leave it as it is. */
export interface SessionDatabase {
  /** A way to the database for one isolate: its `SESSION_DB`, and the proxy that counts its calls and makes them fail. */
  connect(): Promise<{ binding: DatabaseBinding; proxy: FaultProxy }>;
  /** Runs a statement past every proxy. */
  query<Row>(sql: string, ...params: unknown[]): Promise<Row[]>;
  stop(): Promise<void>;
}

export interface SessionDatabaseOptions {
  /** Whether the migrations are applied. Default true. */
  migrated?: boolean;
}

/** Answers as D1 does what the binding of another Miniflare asks: `mf-url` names the method and the form of the rows. */
const HOST = `
const rowsOf = ({ results }, form) =>
  form === "ROWS_AND_COLUMNS"
    ? { columns: Object.keys(results[0] ?? {}), rows: results.map((row) => Object.values(row)) }
    : results;
export default {
  async fetch(request, { DB }) {
    const asked = [await request.json()].flat();
    const form = new URL(request.headers.get("mf-url")).searchParams.get("resultsFormat");
    try {
      const done = await DB.batch(asked.map(({ sql, params }) => DB.prepare(sql).bind(...(params ?? []))));
      return Response.json(done.map((each) => ({ ...each, results: rowsOf(each, form) })));
    } catch (error) {
      return Response.json({ success: false, error: String(error.cause?.message ?? error.message) }, { status: 500 });
    }
  },
};`;

/** Starts an empty D1 database, and applies the migrations of the sessions. */
export async function startSessionDatabase({
  migrated = true,
}: SessionDatabaseOptions = {}): Promise<SessionDatabase> {
  const host: Miniflare = startWorkerd({
    contents: HOST,
    bindings: {},
    databases: { DB: "sessions" },
    port: 0,
    onMessage: () => {},
  });
  const url = (await host.ready).href.replace(/\/$/, "");
  const proxies: FaultProxy[] = [];

  async function query<Row>(sql: string, ...params: unknown[]): Promise<Row[]> {
    const headers = { "mf-url": "http://d1/query?resultsFormat=ARRAY_OF_OBJECTS" };
    const body = JSON.stringify({ sql, params });
    const reply = (await (await fetch(url, { method: "POST", headers, body })).json()) as
      | { results: Row[] }[]
      | { error: string };
    if (!Array.isArray(reply)) throw new Error(reply.error);
    return reply.flatMap(({ results }) => results);
  }

  if (migrated) {
    const files = (await readdir(MIGRATIONS)).filter((name) => name.endsWith(".sql")).sort();
    for (const file of files) {
      for (const statement of statementsOf(await readFile(join(MIGRATIONS, file), "utf8")))
        await query(statement);
    }
  }
  return {
    query,
    async connect() {
      const proxy = new FaultProxy(url);
      proxies.push(proxy);
      await proxy.open();
      const address = new URL(proxy.url) as DatabaseBinding["remoteProxyConnectionString"];
      return { proxy, binding: { id: "sessions", remoteProxyConnectionString: address } };
    },
    async stop() {
      for (const proxy of proxies) await proxy.close();
      await host.dispose();
    },
  };
}
