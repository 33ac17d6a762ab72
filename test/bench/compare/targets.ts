import { medianOf, ratioOfSamples, type Sample } from "./blocks.ts";
import type { ContestantName } from "./contestants.ts";
import type { Results } from "./full.ts";
import { ratioText } from "./interval.ts";
import { cellOf, counted, ms, p50 } from "./report.ts";

export interface Target {
  what: string;
  measured: string;
  reached: boolean;
  /** Why it is missed, as the profile shows. */
  because?: string;
}

/** Known reasons, by the beginning of the target's text. */
const REASONS: readonly (readonly [what: string, because: string])[] = [
  [
    "cold, p50 at 20 ms",
    "eight clients share one thread of workerd, and a request waits there for the others' CPU: what is missing is the CPU of the next line, not a second round trip.",
  ],
  [
    "cold: at least 1.5 × tuned's",
    "both wait one round trip, and then it is CPU of one thread that counts. A fetch costs workerd 0.2 to 0.3 ms here: tuned makes five (1.4 ms), the edge three (0.8 ms). What the edge saves there it spends on what tuned does not do: fields of both directions (`originHeaders`, `cleanResponse`), RFC 9111 (`storing`, `outlineOf`), the entry's text and sum (`encodeEntry`), the batch itself (`attempt`, `replyItems`). `npm run bench -- profile cold GET`, own time: fetch 8.7 %, text 3.1 %, attempt 2.4 %, Map.get 2.1 %, replyItems 2.1 %, cleanResponse 2.0 %, storing 1.9 %, originHeaders 1.2 %, encodeEntry 1.1 %, and a long tail.",
  ],
];

/** The targets of the bench, each measured within one run. */
export function targetsOf(results: Results): Target[] {
  const most = (row: string, name: ContestantName, what: "critical" | "commands") =>
    counted(results, row, name, what).at(-1) ?? Number.NaN;
  const at = (row: string, name: ContestantName, roundTripMs: number, read: typeof p50) => {
    const cell = cellOf(results, row, name, 8, roundTripMs);
    return cell ? read(cell) : Number.NaN;
  };
  const critical = (row: string, expected: number): Target => ({
    what: `${row}: ${expected} calls before the answer`,
    measured: `${most(row, "edge", "critical")} (tuned ${most(row, "tuned", "critical")}, recipe ${most(row, "recipe", "critical")})`,
    reached: most(row, "edge", "critical") === expected,
  });
  const ratio = (what: string, row: string, [other, least]: [ContestantName, number]): Target => {
    const blocks = results.blocks.get(row) ?? [];
    const rates = ({ perSecond }: Sample) => perSecond;
    const measured = ratioOfSamples(blocks, row, ["edge", other], rates);
    const [mine, theirs] = (["edge", other] as const).map((name) => medianOf(blocks, row, name, rates));
    return {
      what,
      measured: `${ratioText(measured)} (${mine?.toFixed(0)} and ${theirs?.toFixed(0)} a second)`,
      reached: measured.value >= least,
    };
  };
  const commands = (row: string): Target => ({
    what: `${row}: no more commands than tuned`,
    measured: `${most(row, "edge", "commands")} and ${most(row, "tuned", "commands")}`,
    reached: most(row, "edge", "commands") <= most(row, "tuned", "commands"),
  });

  const cold = at("cold GET", "edge", 20, p50);
  const origin = at("cold GET", "floor", 20, p50);
  const tuned = at("cold GET", "tuned", 20, p50);
  const [warm, bare] = [at("warm GET", "edge", 20, p50), at("warm GET", "bare", 20, p50)];
  const hanging = results.outages.find(({ state, name }) => state === "hanging" && name === "edge");
  const gzipped = results.once.find(({ name }) => name === "edge")?.gzipped ?? Number.NaN;
  const targets: Target[] = [
    critical("cold GET", 1),
    critical("warm GET", 0),
    critical("blocked", 0),
    critical("forged", 0),
    {
      what: "cold, p50 at 20 ms: at most 1.2 × (round trip + floor)",
      measured: `${ms(cold)} ms, ${(cold / (20 + origin)).toFixed(2)} × (20 + ${ms(origin)})`,
      reached: cold <= 1.2 * (20 + origin),
    },
    {
      what: "cold, p50 at 20 ms: no slower than tuned",
      measured: `${ms(cold)} and ${ms(tuned)} ms`,
      reached: cold <= tuned,
    },
    {
      what: "warm, p50 at 20 ms: at most bare + 1 ms",
      measured: `${ms(warm)} and ${ms(bare)} ms`,
      reached: warm <= bare + 1,
    },
    ratio("warm: at least 0.6 × bare's requests a second", "warm GET", ["bare", 0.6]),
    ratio("warm: more than floor's", "warm GET", ["floor", 1]),
    ratio("cold: at least 1.5 × tuned's", "cold GET", ["tuned", 1.5]),
    commands("cold GET"),
    commands("cold GET, leased"),
    {
      what: "warm: at most 0.3 commands a request",
      measured: `${most("warm GET", "edge", "commands")} (a lease of 1000 is fetched with 1 in 1000)`,
      reached: most("warm GET", "edge", "commands") <= 0.3,
    },
    {
      what: "hanging store, after the third failed batch: p99 at most 1.1 × healthy",
      measured: hanging ? `${ms(hanging.lost.p99)} and ${ms(hanging.healthy.p99)} ms` : "–",
      reached: hanging !== undefined && hanging.lost.p99 <= 1.1 * hanging.healthy.p99,
    },
    {
      what: "bundle: at most 130 KB gzipped",
      measured: `${(gzipped / 1000).toFixed(1)} KB`,
      reached: gzipped <= 130_000,
    },
  ];
  return targets.map((target) => {
    const reason = REASONS.find(([what]) => target.what.startsWith(what));
    return target.reached || !reason ? target : { ...target, because: reason[1] };
  });
}
