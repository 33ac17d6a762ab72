import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { checkConfiguration } from "../../../../src/tools/check/configuration.ts";

const folders: string[] = [];
afterEach(async () => {
  for (const folder of folders.splice(0)) await rm(folder, { recursive: true });
});

const MIGRATIONS = join(import.meta.dirname, "../../../../src/session/migrations");
const D1 = '[[d1_databases]]\nbinding = "SESSION_DB"\ndatabase_name = "sessions"\ndatabase_id = "0"\n';

async function issueOf(text: string): Promise<string | null> {
  const folder = await mkdtemp(join(tmpdir(), "edge-config-"));
  folders.push(folder);
  const file = join(folder, "wrangler.toml");
  const head = 'name = "edge"\nmain = "x.js"\ncompatibility_date = "2026-04-24"\n';
  await writeFile(file, `${head}${text}\n[vars]\nORIGIN_URL = "https://api.example"\n`);
  return checkConfiguration(file, undefined, {}, []).issue;
}

describe("npm run check says what is wrong with SESSION_DB", () => {
  it.each<[string, string, string | null]>([
    ["nothing, where it is not bound", "", null],
    ["nothing, where it has the migrations of the sessions", `${D1}migrations_dir = "${MIGRATIONS}"`, null],
    ["nothing, where another database has none", D1.replace("SESSION_DB", "REPORTS"), null],
    ["that it has no migrations_dir", D1, "has no migrations_dir"],
    ["that its migrations_dir has other migrations", `${D1}migrations_dir = "db"`, "lacks 0001_sessions.sql"],
    [
      "that it is a key-value namespace",
      '[[kv_namespaces]]\nbinding = "SESSION_DB"\nid = "0"',
      "under kv_namespaces",
    ],
    [
      "that it is a bucket",
      '[[r2_buckets]]\nbinding = "SESSION_DB"\nbucket_name = "bucket"',
      "under r2_buckets",
    ],
    ["that it is a Worker", '[[services]]\nbinding = "SESSION_DB"\nservice = "w"', "under services"],
    [
      "that it is a durable object",
      '[durable_objects]\nbindings = [{ name = "SESSION_DB", class_name = "C", script_name = "w" }]',
      "under durable_objects",
    ],
    ["that it is a queue", '[[queues.producers]]\nbinding = "SESSION_DB"\nqueue = "q"', "under queues"],
  ])("%s", async (_, text, said) => {
    const issue = await issueOf(text);
    if (said === null) expect(issue).toBeNull();
    else expect(issue).toContain(said);
  });

  it("that it is a variable", async () => {
    const folder = await mkdtemp(join(tmpdir(), "edge-config-"));
    folders.push(folder);
    const file = join(folder, "wrangler.toml");
    await writeFile(
      file,
      'name = "edge"\nmain = "x.js"\ncompatibility_date = "2026-04-24"\n[vars]\nSESSION_DB = "sessions"\n',
    );
    expect(checkConfiguration(file, undefined, {}, []).issue).toContain("under vars");
  });
});
