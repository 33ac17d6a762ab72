import { createServer } from "node:net";

/** `localhost` is either of the two, whichever answers first. */
const LOOPBACK = ["127.0.0.1", "::1"] as const;

/** Whether a program listens on this port, at any address that `localhost` may be. */
export async function isPortTaken(port: number): Promise<boolean> {
  for (const host of LOOPBACK) if ((await listenOn(port, host)) === "taken") return true;
  return false;
}

/** Ports that no system hands out to connections of its own (Linux: from 32,768 on; others: from 49,152 on). */
const FIRST_PORT = 20_000;
const LAST_PORT = 32_000;

/** Those that this process has given: what listens on one may end and come back. */
const given = new Set<number>();
const MAX_GIVEN = (LAST_PORT - FIRST_PORT) / 2;
/** Between finding a free port and listening on it another program may take it. */
const MAX_PORTS_TRIED = 3;

/**
 * A free port. It may be used seconds later, and again by what ends and comes back: it is none that a connection may get meanwhile, and
 * nobody else in this process gets it.
 *
 * @param random From 0 to 1. Default `Math.random`.
 */
export async function freePort(random: () => number = Math.random): Promise<number> {
  if (given.size >= MAX_GIVEN) given.clear();
  for (;;) {
    const port = FIRST_PORT + Math.floor(random() * (LAST_PORT - FIRST_PORT));
    if (given.has(port) || (await isPortTaken(port))) continue;
    given.add(port);
    return port;
  }
}

/**
 * Starts what listens on a port of its own, see {@link freePort}; on another one where it does not start.
 *
 * @throws what the last of three starts has thrown.
 */
export async function onFreePort<Started>(start: (port: number) => Promise<Started>): Promise<Started> {
  for (let attempt = 1; ; attempt += 1) {
    const port = await freePort();
    try {
      return await start(port);
    } catch (error) {
      if (attempt === MAX_PORTS_TRIED) throw error;
    }
  }
}

/** The port it listened on for a moment; `taken`, or null where the machine has no such address. */
function listenOn(port: number, host: string): Promise<number | "taken" | null> {
  const server = createServer();
  return new Promise((resolve, reject) => {
    server.once("error", ({ code }: NodeJS.ErrnoException) => {
      if (code === "EADDRINUSE") resolve("taken");
      else if (code === "EACCES")
        reject(new Error(`Port ${port} needs rights that this user does not have.`));
      else resolve(null);
    });
    server.listen({ port, host, exclusive: true }, () => {
      const address = server.address();
      server.close(() => resolve(typeof address === "object" && address ? address.port : null));
    });
  });
}
