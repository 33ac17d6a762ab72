/** What a check found. `untested`: it could not be tried, and that is no fault. */
export type Outcome =
  | { kind: "passed"; says: string }
  | { kind: "failed"; says: string }
  | { kind: "untested"; says: string };

export const passed = (says: string): Outcome => ({ kind: "passed", says });
export const failed = (says: string): Outcome => ({ kind: "failed", says });
export const untested = (says: string): Outcome => ({ kind: "untested", says });

/** Options of `npm run verify`. */
export interface VerifyOptions {
  /** The edge, without a trailing slash. */
  url: string;
  /** The service token, for the session check and for a user whose limits nobody has used. */
  serviceToken: string | undefined;
  /** A path with a limit. */
  limitedPath: string;
  /** A path with a cache rule, whose origin answers 200. */
  cachedPath: string;
  authBasePath: string;
  healthPath: string;
  /** The longest that a limit is waited for which somebody else has used up, s. Default 65: a minute's window. */
  waitSeconds?: number;
  /** Waits, ms. Default: real time. */
  sleep?(milliseconds: number): Promise<void>;
}
