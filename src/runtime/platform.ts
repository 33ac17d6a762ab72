/**
 * The time, random numbers, network and timers of a Worker. Code that needs one of these takes a `Platform`, so that a test
 * can control it. Nothing else in `src` calls `Date.now()`, `Math.random()`
 * or the global `fetch`.
 */
export interface Platform {
  /** Milliseconds since the epoch. In workerd it advances only when the Worker waits for I/O. */
  now(): number;
  /** A number in [0, 1) for jitter and sampling, never for secrets. */
  random(): number;
  /** Bytes from a CSPRNG, for ids and tokens. */
  randomBytes(length: number): Uint8Array<ArrayBuffer>;
  fetch(input: string | URL | Request, init?: RequestInit): Promise<Response>;
  /** Calls `run` once after `ms` milliseconds, unless the returned function was called before. */
  timer(ms: number, run: () => void): () => void;
}

/** Resolves after `ms` milliseconds of the platform's time. */
export function sleep(platform: Pick<Platform, "timer">, ms: number): Promise<void> {
  return new Promise((resolve) => {
    platform.timer(ms, resolve);
  });
}

/** The platform of a Worker. */
export const workerPlatform: Platform = {
  now: () => Date.now(),
  random: () => Math.random(),
  randomBytes: (length) => crypto.getRandomValues(new Uint8Array(length)),
  fetch: (input, init) => fetch(input, init),
  timer: (ms, run) => {
    const id = setTimeout(run, ms);
    return () => clearTimeout(id);
  },
};
