import type { Contestant, ContestantName } from "./contestants.ts";

/** Calls and commands of one request. */
export interface Counts {
  /** Calls to the store that ended before the response. */
  critical: number;
  /** All calls to the store, those after the response included. */
  calls: number;
  /** Commands, those inside scripts included: what Upstash bills. */
  commands: number;
}

/** A kind of request. */
export interface Row {
  name: string;
  what: string;
  contestants: readonly ContestantName[];
  /** Those whose times are measured, where others do the same for it as for another row. Default all contestants. */
  timed?: readonly ContestantName[];
  /** The nth request's bytes. */
  request(contestant: Contestant, n: number): string;
  /** What is done first: `fill and restart` stores entries and empties the isolate; `ask once` sends unmeasured requests. */
  before: "fill and restart" | "fill" | "ask once" | "nothing";
  /**
   * Each URL is asked for once more later, unmeasured: an isolate of the edge stores no more than 1,000 entries that were asked for
   * once, and a cold request that stores nothing costs less. Default it is not.
   */
  askedAgain?: true;
  status: number;
  /** What one request of the edge must cost. `--quick` fails where it costs something else. */
  edge: Counts;
}

const everybody = ["edge", "floor", "recipe", "tuned", "composed"] as const;
const withStore = ["edge", "recipe", "tuned", "composed"] as const;

function get(path: string, fields = "", method = "GET", body = ""): string {
  const length =
    method === "POST" ? `content-length: ${body.length}\r\ncontent-type: application/json\r\n` : "";
  return `${method} ${path} HTTP/1.1\r\nhost: api.example\r\ncf-connecting-ip: 203.0.113.9\r\naccept-encoding: identity\r\n${fields}${length}\r\n${body}`;
}

/** Makes URLs unique within a run. */
let unique = 0;
/** Which filling a contestant's filled URLs are from: entries of the one before may lapse while they are measured. */
const fillings = new Map<ContestantName, number>();

/** Other URLs from now on. Call it before the entries of a row are filled. */
export function beginFilling({ name }: Contestant): void {
  unique += 1;
  fillings.set(name, unique);
}

/** How many URLs the isolate holds in the row "warm GET, 10,000 URLs". */
export const HELD_URLS = 10_000;

export const rows: readonly Row[] = [
  {
    name: "cold GET",
    what: "limit + session + cache miss",
    contestants: everybody,
    request(contestant) {
      unique += 1;
      return get(`/session/cold/${unique}`, contestant.session);
    },
    before: "ask once",
    askedAgain: true,
    status: 200,
    edge: { critical: 1, calls: 2, commands: 6 },
  },
  {
    name: "cold GET, leased",
    what: "the same, the limit with a lease",
    contestants: withStore,
    timed: ["edge"],
    request(contestant) {
      unique += 1;
      return get(`/leased/cold/${unique}`, contestant.session);
    },
    before: "ask once",
    askedAgain: true,
    status: 200,
    edge: { critical: 1, calls: 2, commands: 2 },
  },
  {
    name: "cold GET, public",
    what: "limit with a lease + cache miss, no session",
    contestants: [...withStore, "cloudflare"],
    timed: ["edge", "tuned", "cloudflare"],
    request() {
      unique += 1;
      return get(`/public/cold/${unique}`);
    },
    before: "ask once",
    askedAgain: true,
    status: 200,
    edge: { critical: 1, calls: 2, commands: 2 },
  },
  {
    name: "cold GET, eager",
    what: "the same, the origin asked at the same moment",
    contestants: ["edge"],
    request() {
      unique += 1;
      return get(`/eager/cold/${unique}`);
    },
    before: "ask once",
    askedAgain: true,
    status: 200,
    edge: { critical: 1, calls: 2, commands: 2 },
  },
  {
    name: "warm GET",
    what: "limit + hit in the isolate",
    contestants: [
      "edge",
      "edge-logging",
      "edge-operators",
      "bare",
      "floor",
      "recipe",
      "tuned",
      "composed",
      "cloudflare",
    ],
    request: (contestant) => get(`/public/warm/${contestant.name}`),
    before: "ask once",
    status: 200,
    edge: { critical: 0, calls: 0, commands: 0 },
  },
  {
    name: "hit in Redis",
    what: "limit + cache hit, in a fresh isolate",
    contestants: withStore,
    request: ({ name }, n) => get(`/public/filled/${fillings.get(name)}/${n}`),
    before: "fill and restart",
    askedAgain: true,
    status: 200,
    edge: { critical: 1, calls: 1, commands: 1 },
  },
  {
    name: "POST",
    what: "limit + session, passed on",
    contestants: everybody,
    request: (contestant) => get("/write/post", contestant.session, "POST", '{"a":1}'),
    before: "ask once",
    status: 200,
    edge: { critical: 1, calls: 1, commands: 5 },
  },
  {
    name: "blocked",
    what: "a caller over the limit",
    contestants: [...withStore, "cloudflare"],
    request: () => get("/blocked"),
    before: "ask once",
    status: 429,
    edge: { critical: 0, calls: 0, commands: 0 },
  },
  {
    name: "forged",
    what: "a session that was made up",
    contestants: withStore,
    request: (contestant, n) => get(`/session/forged/${n}`, contestant.forged),
    before: "nothing",
    status: 401,
    edge: { critical: 0, calls: 0, commands: 0 },
  },
];

/** Measured in blocks alone: to hold so many entries takes long. */
export const heldRow: Row = {
  name: "warm GET, 10,000 URLs",
  what: "limit + hit in the isolate, which holds 10,000 entries",
  contestants: ["edge", "bare"],
  request: ({ name }, n) => get(`/public/held/${fillings.get(name)}/${n % HELD_URLS}`),
  before: "fill",
  status: 200,
  edge: { critical: 0, calls: 0, commands: 0 },
};
