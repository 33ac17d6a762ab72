import * as fc from "fast-check";

/** How many isolates there are, beside those that are opened for one request. */
export const ISOLATES = 2;
export const LANGUAGES = ["de", "en"] as const;
export type Language = (typeof LANGUAGES)[number];
export const SCHEMES = ["https:", "http:"] as const;
export type Scheme = (typeof SCHEMES)[number];

interface Asked {
  at: number;
  language: Language;
  scheme: Scheme;
}

/** What clients, operators and the origin do. Numbers pick among what there is then, modulo its count. */
export type Operation =
  /** A request; `fresh`: in an isolate that has only just started. `kept`: what is left after its response is done later. */
  | (Asked & { kind: "get"; how: "usual" | "no-cache" | "fresh" | "kept" })
  /** A request whose answer is made now and arrives with an `arrive`. */
  | (Asked & { kind: "slow" })
  | { kind: "arrive" | "finish"; which: number }
  /** A write to the URL; `kept` as above. */
  | (Asked & { kind: "write"; kept: boolean })
  | { kind: "purge"; at: number; what: "url" | "tag" | "everything"; soft: boolean }
  /** The origin says that what is stored is gone, or, to a HEAD, that it is another by now. */
  | (Asked & { kind: "withdraw" | "head" })
  /** From now on answers vary by language, or no longer. */
  | { kind: "vary"; on: boolean }
  | { kind: "pass"; ms: number };

const kind = <Kind extends string>(...names: Kind[]) => fc.constantFrom(...names);
const asked = {
  at: fc.nat(ISOLATES - 1),
  language: fc.constantFrom(...LANGUAGES),
  scheme: fc.constantFrom<Scheme>("https:", "https:", "https:", "http:"),
};

const operation: fc.Arbitrary<Operation> = fc.oneof(
  {
    weight: 9,
    arbitrary: fc.record({
      kind: kind("get"),
      ...asked,
      how: fc.constantFrom("usual", "usual", "no-cache", "fresh", "fresh", "kept"),
    }) as fc.Arbitrary<Operation>,
  },
  { weight: 4, arbitrary: fc.record({ kind: kind("slow"), ...asked }) },
  { weight: 8, arbitrary: fc.record({ kind: kind("arrive", "finish"), which: fc.nat(5) }) },
  { weight: 3, arbitrary: fc.record({ kind: kind("write"), ...asked, kept: fc.boolean() }) },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: kind("purge"),
      at: asked.at,
      what: fc.constantFrom("url" as const, "tag" as const, "everything" as const),
      soft: fc.boolean(),
    }),
  },
  { weight: 3, arbitrary: fc.record({ kind: kind("withdraw", "head"), ...asked }) },
  { weight: 3, arbitrary: fc.record({ kind: kind("vary"), on: fc.boolean() }) },
  {
    weight: 6,
    arbitrary: fc.record({ kind: kind("pass"), ms: fc.constantFrom(1, 20, 700, 1500, 5010, 31_000) }),
  },
);

/** Lists of operations: short ones fail as well as long ones, and are read more easily. */
export const operations = fc.array(operation, { minLength: 3, maxLength: 24 });
