import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { freePort } from "../../src/tools/ports.ts";
import { tour } from "../../src/tools/start/tour.ts";
import { NpmStart } from "../support/npm-start.ts";
import { type ProjectCopy, untouchedProject } from "../support/project-copy.ts";

const run = promisify(execFile);

/** Runs the lines that `npm start` prints, one after the other in one shell, against the edge that it runs. */
describe.each([
  { how: "with a store", args: [] as string[], where: /"rate_limiting":"redis"/ },
  { how: "without any store", args: ["--no-store"], where: /"rate_limiting":"memory"/ },
])("the tour that npm start prints, $how", ({ args, where }) => {
  let project: ProjectCopy;
  let start: NpmStart;
  beforeAll(async () => {
    // Not this folder: the tour is one of the sample's routes, and anybody may have edited those here.
    project = await untouchedProject();
    // A busy machine is no outage.
    await project.write(".dev.vars", "STORE_DEADLINE_MS=10000\n");
    start = new NpmStart({ cwd: project.folder, args: ["--port", String(await freePort()), ...args] });
    await start.ready();
  });
  afterAll(async () => {
    await start?.stop();
    await project?.remove();
  });

  it("shows what it says: every status, header and body", async () => {
    const { groups: { url = "", service = "", admin = "" } = {} } =
      /EDGE=(?<url>\S+) SERVICE_TOKEN=(?<service>\S+) ADMIN_TOKEN=(?<admin>\S+)/.exec(start.printed) ?? {};
    const { preamble, stops } = tour({ url, serviceToken: service, adminToken: admin });
    expect(start.printed, "the lines are printed as they are run").toContain(preamble);
    const separator = "=====next stop=====";
    const script = [preamble, ...stops.map((stop) => `${stop.shell}; echo; echo ${separator}`)].join("\n");
    for (const stop of stops) expect(start.printed).toContain(stop.shell);
    const { stdout } = await run("bash", ["-c", script]);
    const answers = stdout.split(separator);
    expect(answers[0]).toMatch(where);
    for (const [index, stop] of stops.entries()) {
      const answer = lastResponse(answers[index] ?? "");
      expect(answer.status, stop.says).toBe(stop.status);
      for (const [name, value] of Object.entries(stop.headers))
        expect(answer.headers.get(name), `${stop.says} ${name}`).toMatch(value);
      if (stop.body) expect(answer.text, stop.says).toMatch(stop.body);
    }
  });
});

function lastResponse(text: string): { status: number; headers: Map<string, string>; text: string } {
  const from = text.lastIndexOf("HTTP/1.1 ");
  const response = text.slice(from);
  const status = Number(/^HTTP\/1\.1 (\d{3})/.exec(response)?.[1]);
  const headers = new Map<string, string>();
  for (const line of response.split(/\r?\n/).slice(1)) {
    const [, name, value] = /^([A-Za-z-]+): (.*)$/.exec(line) ?? [];
    if (name && value !== undefined) headers.set(name.toLowerCase(), value);
  }
  return { status, headers, text: response };
}
