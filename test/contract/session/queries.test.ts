import { beforeEach, expect, it } from "vitest";
import { faultyDatabase, freshDatabase } from "../../support/database.ts";
import { freshPrefix } from "../../support/limits.ts";
import { openSessions, sessionPlatform } from "../../support/sessions.ts";

/** Queries of D1 that a Worker on the free plan may make for a request and what follows it. Each statement counts. */
const MAX_QUERIES = 50;

type Isolate = ReturnType<typeof openSessions>;
let database: ReturnType<typeof faultyDatabase>;
beforeEach(async () => {
  database = faultyDatabase(await freshDatabase("DB_QUERIES"));
});

/** An isolate for which everything is due: 190 entries to be carried, 18 changes to be told, a sweep, a comparison. */
async function behind(useRedis: boolean) {
  const options = {
    prefix: freshPrefix(),
    platform: sessionPlatform(),
    databaseBinding: database.binding,
    useRedis,
  };
  const [cut, one] = [openSessions(options), openSessions(options)];
  if (useRedis) await cut.lose();
  await Promise.all(
    Array.from({ length: 190 }, (_, each) => cut.sessions.create({ userId: `u${each % 40}` })),
  );
  if (!useRedis) database.faults.cut = true;
  let token = "";
  for (let each = 0; each < 6; each += 1) {
    const made = await one.sessions.create({ userId: "ada" });
    token = made.token;
    await one.sessions.service.revoke((await one.sessions.create({ userId: `b${each}` })).claims.id, null);
  }
  database.faults.cut = false;
  one.platform.advance(40_000);
  if (!useRedis) await one.sessions.maintenance();
  one.platform.advance(61_000);
  return { one, token };
}

const REQUESTS: [what: string, answer: (one: Isolate, token: string) => Promise<unknown>][] = [
  ["only uses its session", async () => {}],
  ["starts a session", ({ sessions }) => sessions.create({ userId: "eve" })],
  [
    "starts a session in another's place",
    async (one, token) => {
      const verdict = await one.present(token);
      return one.sessions.create({ userId: "ada" }, verdict.kind === "active" ? verdict.claims : undefined);
    },
  ],
  [
    "gives its session a new id",
    async (one, token) => {
      const verdict = await one.present(token);
      return verdict.kind === "active" && one.sessions.rotate(verdict);
    },
  ],
  ["ends it by its id", async (one, token) => one.sessions.delete((await claimsIn(one, token)).id)],
  ["ends a user's", ({ sessions }) => sessions.service.revokeAllOf("ada", null)],
  ["ends everyone's", ({ sessions }) => sessions.service.revokeEveryone()],
  ["lists a user's", ({ sessions }) => sessions.service.list("ada")],
  ["touches it by its id", async (one, token) => one.sessions.touch((await claimsIn(one, token)).id)],
  ["is the cron trigger", ({ sessions }) => sessions.scheduled()],
];

async function claimsIn(one: Isolate, token: string) {
  const verdict = await one.present(token);
  if (!("claims" in verdict)) throw new Error("it lives");
  return verdict.claims;
}

it.each(REQUESTS.flatMap(([what, answer]) => [true, false].map((useRedis) => ({ what, answer, useRedis }))))(
  "a request that $what makes no more queries, sessions in Redis: $useRedis",
  async ({ answer, useRedis }) => {
    const { one, token } = await behind(useRedis);
    const before = database.faults.statements;
    const verdict = await one.present(token);
    await answer(one, token);
    await verdict.settle();
    const queries = database.faults.statements - before;
    expect(queries).toBeLessThanOrEqual(MAX_QUERIES);
    expect(queries, "something was due").toBeGreaterThan(10);
  },
);
