import type { Dice } from "../dice.ts";
import type { Directive } from "./spelling.ts";

/** Where the exchange begins, ms since the epoch. */
export const BEGIN = Date.UTC(2026, 0, 15, 12, 0, 30);

/** What an origin says of its resource, as meant and not as written. */
export interface Said {
  status: number;
  directives: Directive[] | null;
  expires: number | null;
  date: number | null;
  lastModified: number | null;
  /** Seconds. */
  age: number | null;
  etag: string | null;
  vary: string[] | null;
}

/** What a client asks. */
export interface Asked {
  method: "GET" | "HEAD";
  /** Seconds since the request before. */
  later: number;
  directives: Directive[] | null;
  ifNoneMatch: string[] | null;
  ifModifiedSince: number | null;
  range: string | null;
  language: string | null;
  codings: string[] | null;
}

export interface Exchange {
  said: Said;
  asked: Asked[];
}

const SECONDS = [0, 1, 10, 60, 300];

/** An exchange of which much is about to expire, to be validated, or asked for in part. */
export function exchange(dice: Dice): Exchange {
  const seconds = () => dice.pick(SECONDS);
  const maybe = <Value>(part: number, value: () => Value) => (dice.chance(part) ? value() : null);
  const some = (most: number, make: () => Directive): Directive[] => {
    const all = Array.from({ length: 1 + dice.upTo(most) }, make);
    return all.filter(([name], index) => all.findIndex(([other]) => other === name) === index);
  };
  const before = (...agoSeconds: number[]) => BEGIN - dice.pick(agoSeconds) * 1000;
  const ofResponse = (): Directive =>
    dice.pick<() => Directive>([
      () => ["max-age", dice.pick([60, 300])],
      () => ["max-age", seconds()],
      () => ["s-maxage", seconds()],
      () => ["stale-while-revalidate", seconds()],
      () => ["stale-if-error", seconds()],
      () => [dice.pick(["no-cache", "no-store", "private", "public", "immutable", "no-transform"])],
      () => [dice.pick(["must-revalidate", "proxy-revalidate", "must-understand"])],
      () => ["no-cache", '"set-cookie"'],
      () => ["private", '"x-a, x-b"'],
    ])();
  const ofRequest = (): Directive =>
    dice.pick<() => Directive>([
      () => [dice.pick(["max-age", "min-fresh", "max-stale"]), seconds()],
      () => [dice.pick(["max-stale", "no-cache", "no-store", "only-if-cached", "no-transform"])],
    ])();
  const said: Said = {
    status: dice.pick([200, 200, 200, 200, 203, 404, 301, 302, 500, 410]),
    directives: maybe(0.8, () => some(4, ofResponse)),
    expires: maybe(0.3, () => before(10, 0, -10, -60, -300)),
    date: maybe(0.5, () => before(0, 5, 50)),
    lastModified: maybe(0.4, () => before(100, 86_400, 864_000)),
    age: maybe(0.2, () => dice.pick([0, 5, 50])),
    etag: maybe(0.5, () => dice.pick(['"a"', 'W/"a"', '"a,b"'])),
    vary: maybe(0.4, () =>
      dice.pick([
        ["accept-language"],
        ["accept-language", "x-v"],
        ["*"],
        ["accept-language", "accept-encoding"],
      ]),
    ),
  };
  const first: Asked = {
    method: "GET",
    later: 0,
    directives: null,
    ifNoneMatch: null,
    ifModifiedSince: null,
    range: null,
    language: "de",
    codings: null,
  };
  const next = (): Asked => ({
    method: dice.chance(0.15) ? "HEAD" : "GET",
    later: dice.pick([0, 1, 11, 61, 301]),
    directives: maybe(0.4, () => some(2, ofRequest)),
    ifNoneMatch: maybe(0.3, () => dice.pick([['"a"'], ['"b"'], ["*"], ['"a,b"'], ['W/"a"'], ['"b"', '"a"']])),
    ifModifiedSince: maybe(0.2, () => before(50, 86_400, 900_000)),
    range: maybe(0.2, () => dice.pick(["bytes=0-4", "bytes=-3", "bytes=2-", "bytes=90-99"])),
    language: maybe(0.8, () => dice.pick(["de", "de", "en"])),
    codings: maybe(0.3, () => dice.pick([["gzip"], ["br", "gzip"], ["identity"]])),
  });
  return { said, asked: [first, next(), next(), next()] };
}
