import { beforeAll, describe, expect, it } from "vitest";
import { edgeOfAllKinds, LIMITED, signIn, traffic } from "../../support/edge/traffic.ts";

interface Item {
  result?: unknown;
  error?: string | null;
}
/** What comes in place of a reply. */
type Alter = (items: Item[], commands: readonly string[]) => unknown;

/** What requests send. `eval` is sent where Redis does not know the script. */
const COMMANDS = ["evalsha", "mget", "zrange", "hgetall", "set", "hmget", "zcount"];
const RESULTS: readonly unknown[] = [
  null,
  2 ** 60,
  "",
  "OK",
  { a: 1 },
  [],
  [null],
  [{}, {}],
  Array(8).fill(-1),
];
const NO_SCRIPT = { error: "NOSCRIPT No matching script." };
const each =
  (command: string, result: unknown): Alter =>
  (items, commands) =>
    items.map((item, index) => {
      if (commands[index] === command) return { result };
      return command === "eval" && commands[index] === "evalsha" ? NO_SCRIPT : item;
    });
const WHOLE: [what: string, alter: Alter][] = [
  ["all of them null", (items) => items.map(() => ({ result: null }))],
  ["all of them empty lists", (items) => items.map(() => ({ result: [] }))],
  ["in another order", (items) => items.toReversed()],
  ["results and errors at once", (items) => items.map((item) => ({ ...item, error: "ERR" }))],
  ["errors that are null", (items) => items.map((item) => ({ ...item, error: null }))],
  ["one too few", (items) => items.slice(1)],
  ["one too many", (items) => [...items, { result: 1 }]],
  ["one for all", () => ({ result: [] })],
  ["nothing", () => null],
];

/** Isolates whose store's replies are altered from `alter()` on. */
function opened() {
  const edge = edgeOfAllKinds();
  const seen = new Set<string>();
  let alteration: Alter | null = null;
  const ask = edge.platform.fetch;
  edge.platform.fetch = async (input, init) => {
    const response = await ask(input, init);
    const commands = (JSON.parse(String(init?.body)) as string[][]).map(([name]) =>
      String(name).toLowerCase(),
    );
    for (const name of commands) if (name !== "eval") seen.add(name);
    return alteration ? Response.json(alteration((await response.json()) as Item[], commands)) : response;
  };
  return {
    ...edge,
    seen,
    alter(next: Alter) {
      alteration = next;
    },
  };
}
const wrong = (status: number) => status >= 400;

describe("replies of another shape than their commands have", () => {
  let seen: ReadonlySet<string> = new Set();
  beforeAll(async () => {
    const edge = opened();
    const token = await signIn(edge);
    for (const isolate of [0, 1]) expect(await traffic(edge, { token, isolate, wrong })).toEqual([]);
    seen = edge.seen;
  });

  it.each<[what: string, alter: Alter]>([
    ...[...COMMANDS, "eval"].flatMap((command) =>
      RESULTS.map((result): [string, Alter] => [
        `${JSON.stringify(result)} of each ${command}`,
        each(command, result),
      ]),
    ),
    ...WHOLE,
  ])("fail no request, and let as much pass as a limit says: %s", async (_, alter) => {
    const edge = opened();
    const token = await signIn(edge);
    edge.alter(alter);
    for (const isolate of [0, 1]) expect(await traffic(edge, { token, isolate, wrong })).toEqual([]);
    for (const [path, limit] of Object.entries(LIMITED)) {
      let passed = 0;
      for (let n = 0; n < limit + 3; n += 1)
        passed += (await edge.ask(path, { address: "192.0.2.99" })).status === 200 ? 1 : 0;
      expect([path, passed]).toEqual([path, limit]);
    }
  });

  it("are tried for each command that a request sends", () => {
    expect([...seen].sort()).toEqual([...COMMANDS].sort());
  });
});
