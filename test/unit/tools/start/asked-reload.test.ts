import { expect, it } from "vitest";
import { AskedReload } from "../../../../src/tools/start/asked-reload.ts";

const BEFORE = { bindings: { A: "1" } };
const AFTER = { bindings: { A: "1" } };

/** The configurations whose start counts, in the order of what happens. */
async function counted(
  happens: (server: { reads(config: object): void; starts(config: object): void }) => Promise<void> | void,
  reading: (server: { reads(config: object): void; starts(config: object): void }) => void,
): Promise<string[]> {
  const reload = new AskedReload();
  const told: string[] = [];
  const server = {
    reads: (config: object) => reload.hasRead(config),
    starts(config: { bindings?: object }) {
      if (reload.counts(config)) told.push(config.bindings === BEFORE.bindings ? "before" : "after");
    },
  };
  server.reads(BEFORE);
  await reload.during(async () => reading(server)).catch(() => {});
  await happens(server);
  return told;
}
const nothing = () => {};

it.each<
  [
    what: string,
    reading: Parameters<typeof counted>[1],
    happens: Parameters<typeof counted>[0],
    told: string[],
  ]
>([
  ["a start of the reload", (server) => server.reads(AFTER), (server) => server.starts(AFTER), ["after"]],
  [
    "a build of the server's own ends while the configuration is read",
    (server) => {
      server.starts(BEFORE);
      server.reads(AFTER);
    },
    (server) => server.starts(AFTER),
    ["after"],
  ],
  [
    "it ends when the configuration has been read",
    (server) => server.reads(AFTER),
    (server) => {
      server.starts(BEFORE);
      server.starts(AFTER);
    },
    ["after"],
  ],
  [
    "a build is given a copy of the configuration",
    (server) => server.reads(AFTER),
    (server) => server.starts({ ...AFTER, build: {} }),
    ["after"],
  ],
  [
    "the configuration cannot be read: the server goes on with the one of before",
    () => {
      throw new Error("wrangler.toml");
    },
    (server) => server.starts(BEFORE),
    ["before"],
  ],
  ["the server reads nothing", nothing, (server) => server.starts(BEFORE), ["before"]],
  [
    "each later start counts too",
    (server) => server.reads(AFTER),
    (server) => {
      server.starts(AFTER);
      server.starts(AFTER);
    },
    ["after", "after"],
  ],
])("%s", async (_, reading, happens, told) => {
  expect(await counted(happens, reading)).toEqual(told);
});
