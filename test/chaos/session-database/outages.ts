import type { Treatment } from "../proxy.ts";
import { pause } from "../proxy.ts";

/** An outage of Redis, what Redis holds after it, and what the database does meanwhile. */
export interface Outage {
  name: string;
  what: string;
  /** Isolates that lose Redis. `one`: the other goes on with it. */
  lost: "both" | "one";
  /** What Redis holds when it is back. */
  back: "with its data" | "empty" | "with an old snapshot";
  /** How long an isolate waits for Redis and for the database, ms. Default as long as a busy machine needs. */
  deadlineMs?: number;
  /** What happens to calls to the database while Redis is lost. Default nothing. */
  during?: Treatment;
  /** What happens to them for {@link AFTERWARDS_MS} once Redis is back. Default nothing. */
  afterwards?: Treatment;
  /** It is also run without a database. */
  compared?: true;
}

/** How long a fault lasts that begins when Redis is back, ms. */
export const AFTERWARDS_MS = 3000;
/** Longer than the deadline of the isolates that meet it. */
const SLOW_MS = 800;
/** Calls of an isolate that the database answers before it fails half way through a replay. */
const ANSWERED = 3;

const failing: Treatment = (call) =>
  call.reply({
    status: 500,
    type: "application/json",
    body: '{"success":false,"error":"D1 DB is overloaded. Requests queued for too long."}',
  });

/** The rows of the report, in the order in which they run. */
export const outages: readonly Outage[] = [
  {
    name: "with-data",
    what: "Redis is back with its data",
    lost: "both",
    back: "with its data",
    compared: true,
  },
  { name: "empty", what: "Redis is back and empty", lost: "both", back: "empty", compared: true },
  {
    name: "old-snapshot",
    what: "Redis is back with a snapshot from before half of the sessions and endings",
    lost: "both",
    back: "with an old snapshot",
    compared: true,
  },
  {
    name: "one-isolate",
    what: "one of two isolates loses Redis, and the other does not",
    lost: "one",
    back: "with its data",
    compared: true,
  },
  {
    name: "slow-database",
    what: `the database takes ${SLOW_MS} ms for each call meanwhile`,
    lost: "both",
    back: "with its data",
    deadlineMs: 400,
    async during(call) {
      await pause(SLOW_MS);
      call.reply(await call.forward());
    },
  },
  {
    name: "failing-database",
    what: "the database fails meanwhile",
    lost: "both",
    back: "with its data",
    during: failing,
  },
  {
    name: "failing-replay",
    what: `Redis is back and empty, and the database fails after ${ANSWERED} calls of each isolate`,
    lost: "both",
    back: "empty",
    afterwards: async (call) => (call.number < ANSWERED ? call.reply(await call.forward()) : failing(call)),
  },
];
