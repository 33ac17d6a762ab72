import * as fc from "fast-check";

/** How many isolates and users there are. */
export const ISOLATES = 3;
export const USERS = 2;

/**
 * What a client, a server or the weather does. Numbers pick among what there is then, modulo its count, so that every list of
 * operations can be run, and a shorter one still means nearly the same.
 */
export type Operation =
  | { kind: "create"; at: number; user: number; replaces: number | null }
  | { kind: "use" | "rotate" | "end" | "endOthers"; at: number; session: number }
  | { kind: "useEnded"; at: number; session: number }
  | { kind: "list" | "endUser"; at: number; user: number }
  | { kind: "endEveryone"; at: number }
  | { kind: "loseRedis"; at: number }
  | { kind: "loseRedisEverywhere" }
  | { kind: "findRedis"; at: number }
  | { kind: "findRedisEverywhere"; back: "with its data" | "empty" | "with a snapshot" }
  | { kind: "snapshot" }
  | { kind: "loseIsolate"; at: number }
  | { kind: "pass"; ms: number };

const at = fc.nat(ISOLATES - 1);
const user = fc.nat(USERS - 1);
const session = fc.nat(9);
const kind = <Kind extends string>(name: Kind) => fc.constant(name);

const operation: fc.Arbitrary<Operation> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({ kind: kind("create"), at, user, replaces: fc.option(session, { freq: 4 }) }),
  },
  { weight: 5, arbitrary: fc.record({ kind: kind("use"), at, session }) },
  { weight: 6, arbitrary: fc.record({ kind: kind("useEnded"), at, session }) },
  { weight: 3, arbitrary: fc.record({ kind: kind("rotate"), at, session }) },
  { weight: 4, arbitrary: fc.record({ kind: kind("end"), at, session }) },
  { weight: 2, arbitrary: fc.record({ kind: kind("endOthers"), at, session }) },
  { weight: 2, arbitrary: fc.record({ kind: kind("list"), at, user }) },
  { weight: 2, arbitrary: fc.record({ kind: kind("endUser"), at, user }) },
  { weight: 1, arbitrary: fc.record({ kind: kind("endEveryone"), at }) },
  { weight: 3, arbitrary: fc.record({ kind: kind("loseRedis"), at }) },
  { weight: 2, arbitrary: fc.record({ kind: kind("loseRedisEverywhere") }) },
  { weight: 2, arbitrary: fc.record({ kind: kind("findRedis"), at }) },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: kind("findRedisEverywhere"),
      back: fc.constantFrom("with its data" as const, "empty" as const, "with a snapshot" as const),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: kind("snapshot") }) },
  { weight: 2, arbitrary: fc.record({ kind: kind("loseIsolate"), at }) },
  {
    weight: 4,
    arbitrary: fc.record({ kind: kind("pass"), ms: fc.constantFrom(1000, 5000, 11_000, 61_000, 400_000) }),
  },
);

export const operations = fc.array(operation, { minLength: 4, maxLength: 24, size: "max" });
