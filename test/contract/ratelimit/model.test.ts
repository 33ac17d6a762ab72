import { afterEach, expect, inject, it } from "vitest";
import { type Dice, dice } from "../../support/dice.ts";
import { clock, freshPrefix, openIsolate, releaseClock, routeOf } from "../../support/limits.ts";
import { hasRoom, mostOf, someLimits, type Taken } from "../../support/limits-model/windows.ts";

const connection = { url: inject("upstashUrl"), token: inject("upstashToken") };
afterEach(releaseClock);

const RUNS = 60;
const REQUESTS = 40;
const SEED = 20_261_127;

const START = Date.UTC(2026, 0, 15, 12);

/** One caller's requests to one or two isolates, at any moments, and what is wrong with the verdicts. */
async function run(
  chosen: Dice,
  counted: Record<"allowed" | "denied" | "waited", number>,
): Promise<string[]> {
  const platform = clock(START + chosen.upTo(60_000));
  const stored = chosen.chance(0.75);
  const two = stored && chosen.chance(0.6);
  const options = { platform, connection: stored ? connection : null, prefix: freshPrefix() };
  const isolates = (two ? [0, 1] : [0]).map(() => openIsolate(options));
  const limits = someLimits(chosen);
  // What an isolate has leased is taken, and not spent yet.
  const told = !limits.some((limit) => "lease" in limit);
  const most = Math.min(...limits.map(mostOf));
  const taken: Taken[] = [];
  const issues: string[] = [];

  async function ask(cost: number) {
    const route = routeOf({ limits: limits.map((limit) => ({ ...limit, cost })) });
    const { verdict } = await chosen.pick(isolates).ask(route, "alice");
    const now = { at: platform.now(), cost };
    const issue = (what: string) => issues.push(`${what} at ${now.at - START}, ${JSON.stringify(limits)}`);
    const room = limits.map((limit) => hasRoom(limit, taken, now));
    const remaining = Number(verdict.headers["X-RateLimit-Remaining"]);
    if (!Number.isInteger(remaining) || remaining < 0) issue(`${remaining} remain`);
    if (verdict.kind === "allowed") {
      if (told && room.includes(false)) issue("admitted without room");
      taken.push(now);
    } else if (told && room.every((each) => each === true)) issue("denied with room");
    return verdict;
  }

  for (let each = 0; each < REQUESTS; each += 1) {
    // Another isolate's requests of another cost cannot be known in this one.
    const cost = two ? 1 : 1 + (chosen.chance(0.3) ? chosen.upTo(Math.min(4, most)) : 0);
    const verdict = await ask(cost);
    counted[verdict.kind === "allowed" ? "allowed" : "denied"] += 1;
    if (verdict.kind !== "allowed" && chosen.chance(0.6)) {
      const seconds = Number(verdict.headers["Retry-After"]);
      platform.advance(seconds * 1000);
      counted.waited += 1;
      if ((await ask(cost)).kind !== "allowed")
        issues.push(`denied after ${seconds} s, ${JSON.stringify(limits)}`);
    }
    platform.advance(chosen.upTo(chosen.chance(0.5) ? 300 : 4000));
  }
  return issues;
}

it("nobody is admitted above a limit, denied with room, or denied after Retry-After: any windows together", async () => {
  const counted = { allowed: 0, denied: 0, waited: 0 };
  for (let seed = SEED; seed < SEED + RUNS; seed += 1)
    expect(await run(dice(seed), counted), `seed ${seed}`).toEqual([]);
  expect(Math.min(...Object.values(counted)), JSON.stringify(counted)).toBeGreaterThan(RUNS);
});
