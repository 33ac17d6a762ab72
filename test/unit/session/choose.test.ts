import { expect, test } from "vitest";
import type { Access } from "../../../src/config/access.ts";
import type { EdgeRequest } from "../../../src/request/capability.ts";
import { chooseSession } from "../../../src/session/choose.ts";
import type { SessionVerdict } from "../../../src/session/verdict.ts";
import type { Batch } from "../../../src/store/batch.ts";
import { claimsOf } from "../../support/identity.ts";
import { claims } from "../../support/session-samples.ts";

type Kind = "active" | "over" | "unknown";

/** @param sessions Ids of the cookies in their order, with what becomes of each. */
async function choose(
  sessions: [id: string, kind: Kind][],
  { access = "public", known = {} }: { access?: Access; known?: Record<string, "alive" | "over"> } = {},
) {
  const kinds = new Map(sessions);
  const [first, ...others] = sessions.map(([id]) => claims({ id }));
  const batch = {
    calls: 0,
    async send() {
      batch.calls += 1;
    },
  };
  const identified = claimsOf(
    first ? { session: { kind: "signed", claims: first, others, tokenSource: "cookie" } } : {},
  );
  const { claims: chosen, calls } = await chooseSession(
    {
      known: async ({ id }) => known[id] ?? null,
      store: { batch: () => batch as unknown as Batch },
      async validate({ claims: { session } }) {
        const id = session.kind === "signed" ? session.claims.id : "";
        return () => ({ kind: kinds.get(id) ?? "none" }) as SessionVerdict;
      },
    },
    { claims: identified, route: { access } } as EdgeRequest,
  );
  return [chosen.session.kind === "signed" ? chosen.session.claims.id : null, calls];
}

test.each<[cookies: [string, Kind][], chosen: string | null, calls: number]>([
  [[], null, 0],
  [[["a", "active"]], "a", 0],
  [[["a", "over"]], "a", 0],
  [
    [
      ["a", "active"],
      ["b", "over"],
    ],
    "a",
    1,
  ],
  [
    [
      ["a", "over"],
      ["b", "active"],
    ],
    "b",
    1,
  ],
  [
    [
      ["a", "active"],
      ["b", "active"],
    ],
    "a",
    1,
  ],
  [
    [
      ["a", "over"],
      ["b", "over"],
    ],
    "a",
    1,
  ],
  [
    [
      ["a", "unknown"],
      ["b", "active"],
    ],
    "b",
    1,
  ],
  [
    [
      ["a", "over"],
      ["b", "unknown"],
      ["c", "over"],
    ],
    "a",
    1,
  ],
  [
    [
      ["a", "over"],
      ["b", "over"],
      ["c", "active"],
    ],
    "c",
    1,
  ],
])("of %j counts %s, with %i calls", async (cookies, chosen, calls) => {
  expect(await choose(cookies)).toEqual([chosen, calls]);
});

test.each<[known: Record<string, "alive" | "over">, access: Access, chosen: string, calls: number]>([
  [{ a: "alive" }, "public", "a", 0],
  [{ a: "alive" }, ["session", "jwt"], "a", 0],
  [{ a: "over", b: "alive" }, "identified", "b", 0],
  [{ a: "over" }, "public", "b", 1],
  [{ b: "alive" }, "public", "a", 1],
  [{ a: "over", b: "alive" }, "session", "a", 1],
])("with %j known on a route of access %j counts %s, with %i calls", async (known, access, chosen, calls) => {
  const kinds: [string, Kind][] = [
    ["a", known.a === "over" && access !== "session" ? "over" : "active"],
    ["b", "active"],
  ];
  expect(await choose(kinds, { known, access })).toEqual([chosen, calls]);
});
