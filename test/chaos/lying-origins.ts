import { type Behaviour, head } from "./raw-origin.ts";

/** ms within which an origin's header fields must arrive. */
export const DEADLINE_MS = 600;

/** How an answer ends at the client. `broken`: the connection or the body is cut, and the client can see that. */
export type Ending = "whole" | "broken" | "aborted by the client";

export interface OriginFault {
  name: string;
  what: string;
  /** null: the origin refuses connections. */
  behaviour: Behaviour | null;
  /** Expected while nothing is stored. */
  cold: { status: number; ending: Ending; body?: string };
  /** Expected while a stale response is stored. It may replace only an answer that has not begun. */
  stale: "stands in" | "as cold";
  /** Origin requests for one client request. Default 1; 0 where the edge refuses it. */
  asked?: number;
  /** Whether the cold answer is one that may be stored, and is. Default false. */
  isStored?: boolean;
  /** Why the Worker can neither see nor prevent this fault. It is reported and does not count as missed. */
  excused?: string;
  /** The client request's method. Default GET. */
  method?: string;
}

const dead = { status: 502, ending: "whole" } as const;
const chunked = { "transfer-encoding": "chunked", "cache-control": "max-age=600" };
const sized = (length: number) => ({
  "content-length": String(length),
  "cache-control": "max-age=600",
});

export const originFaults: readonly OriginFault[] = [
  { name: "down", what: "nobody listens", behaviour: null, cold: dead, stale: "stands in", asked: 0 },
  {
    name: "silent",
    what: "closes without a byte",
    behaviour: (socket) => void socket.end(),
    cold: dead,
    stale: "stands in",
  },
  {
    name: "reset",
    what: "resets the connection",
    behaviour: (socket) => void socket.resetAndDestroy(),
    cold: dead,
    stale: "stands in",
  },
  {
    name: "garbage",
    what: "what it says is not HTTP",
    behaviour: (socket) => void socket.end("\u0001\u0002 no such protocol\r\n\r\n"),
    cold: dead,
    stale: "stands in",
  },
  {
    name: "slow",
    what: `no headers within the deadline (${DEADLINE_MS} ms)`,
    behaviour: () => {},
    cold: { status: 504, ending: "whole" },
    stale: "stands in",
  },
  {
    name: "late",
    what: "headers just in time",
    behaviour: (socket) => {
      setTimeout(() => socket.write(`${head(200, sized(4))}late`), DEADLINE_MS / 3);
    },
    cold: { status: 200, ending: "whole", body: "late" },
    stale: "as cold",
    isStored: true,
  },
  {
    name: "error",
    what: "500 of its own",
    behaviour: (socket) => void socket.write(`${head(500, { "content-length": "4" })}oops`),
    cold: { status: 500, ending: "whole", body: "oops" },
    stale: "stands in",
  },
  {
    name: "endless",
    what: "a body without an end, as fast as it goes",
    behaviour: (socket) => {
      socket.write(head(200, chunked));
      const chunk = `4000\r\n${"e".repeat(0x4000)}\r\n`;
      const more = () => {
        while (socket.writable && socket.write(chunk));
        if (socket.writable) socket.once("drain", more);
      };
      more();
    },
    cold: { status: 200, ending: "aborted by the client" },
    stale: "as cold",
  },
  {
    name: "drip",
    what: "a body without an end, a byte at a time",
    behaviour: (socket) => {
      socket.write(head(200, chunked));
      const timer = setInterval(() => socket.write("1\r\nd\r\n"), 20);
      socket.once("close", () => clearInterval(timer));
    },
    cold: { status: 200, ending: "aborted by the client" },
    stale: "as cold",
  },
  {
    name: "dies-small",
    what: "half of a thousand promised bytes, then a reset",
    behaviour: (socket) => {
      socket.write(head(200, sized(1000)) + "h".repeat(500));
      setTimeout(() => socket.resetAndDestroy(), 50);
    },
    cold: dead,
    stale: "stands in",
  },
  {
    name: "dies-large",
    what: "half of 200 000 promised bytes, then a reset",
    behaviour: (socket) => {
      socket.write(head(200, sized(200_000)) + "h".repeat(100_000));
      setTimeout(() => socket.resetAndDestroy(), 50);
    },
    cold: { status: 200, ending: "broken" },
    stale: "as cold",
  },
  {
    name: "dies-chunked",
    what: "some chunks, no last one, then a reset",
    behaviour: (socket) => {
      socket.write(`${head(200, chunked)}5\r\nhello\r\n`);
      setTimeout(() => socket.resetAndDestroy(), 50);
    },
    cold: { status: 200, ending: "broken" },
    stale: "as cold",
  },
  {
    name: "too-short",
    what: "fewer bytes than `Content-Length` says, and an orderly end",
    behaviour: (socket) => void socket.end(head(200, sized(1000)) + "s".repeat(500)),
    cold: dead,
    stale: "stands in",
  },
  {
    name: "broken-gzip",
    what: "says gzip and is none",
    behaviour: (socket) =>
      void socket.write(`${head(200, { ...sized(9), "content-encoding": "gzip" })}not gzip!`),
    // What goes before the Worker decodes it for a client that accepts no gzip, as Cloudflare does, and breaks off.
    cold: { status: 0, ending: "broken" },
    stale: "as cold",
  },
  {
    name: "odd-status",
    what: "a status that is none (700)",
    behaviour: (socket) => void socket.write(`${head(700, { "content-length": "4" })}oops`),
    cold: dead,
    stale: "stands in",
  },
  {
    name: "unasked-304",
    what: "304 to a request without conditions",
    behaviour: (socket) => void socket.write(head(304, { etag: '"never-stored"' })),
    cold: { status: 304, ending: "whole" },
    stale: "as cold",
  },
  {
    name: "early-hints",
    what: "103 before its answer, which the runtime skips",
    behaviour: (socket) =>
      void socket.end(`${head(103, { link: "</a.css>; rel=preload" })}${head(200, sized(5))}final`),
    cold: { status: 200, ending: "whole", body: "final" },
    stale: "as cold",
    isStored: true,
  },
  {
    name: "unasked-101",
    what: "101 to a request that asked for no other protocol",
    behaviour: (socket) => void socket.end(head(101, { upgrade: "websocket", connection: "upgrade" })),
    cold: dead,
    stale: "stands in",
  },
  {
    name: "content-of-205",
    what: "205 with a body",
    behaviour: (socket) => void socket.end(`${head(205, { "content-length": "4" })}oops`),
    cold: { status: 205, ending: "whole", body: "" },
    stale: "as cold",
  },
  {
    name: "head-with-body",
    what: "a body in answer to a HEAD",
    method: "HEAD",
    behaviour: (socket) =>
      void socket.end(`${head(200, { "content-length": "4", "cache-control": "no-store" })}oops`),
    cold: { status: 200, ending: "whole", body: "" },
    stale: "as cold",
  },
  {
    name: "posted",
    what: "resets the connection of a POST",
    method: "POST",
    behaviour: (socket) => void socket.resetAndDestroy(),
    cold: dead,
    stale: "as cold",
  },
  {
    name: "redirect-loop",
    what: "a redirect to where the request came from",
    behaviour: (socket, path) =>
      void socket.write(head(302, { location: path, "content-length": "0", "cache-control": "no-store" })),
    cold: { status: 302, ending: "whole" },
    stale: "as cold",
  },
  // This one runs last: its connections, which the runtime keeps, hold extra bytes.
  {
    name: "too-long",
    what: "more bytes than `Content-Length` says: another answer, smuggled behind the first",
    behaviour: (socket) =>
      void socket.write(
        `${head(200, { ...sized(5), "cache-control": "no-store" })}first${head(200, sized(6))}POISON`,
      ),
    cold: { status: 200, ending: "whole", body: "first" },
    stale: "as cold",
    excused:
      "the runtime's HTTP client takes what lies behind an answer for the answer to whatever it asks next",
  },
];
