const MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
const DAY = "(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)";
const LONG_DAY = "(?:Monday|Tuesday|Wednesday|Thursday|Friday|Saturday|Sunday)";
const TIME = "(\\d{2}):(\\d{2}):(\\d{2})";

const IMF_FIXDATE = new RegExp(`^${DAY}, (\\d{2}) ([a-z]{3}) (\\d{4}) ${TIME} GMT$`, "i");
const RFC850 = new RegExp(`^${LONG_DAY}, (\\d{2})-([a-z]{3})-(\\d{2}) ${TIME} GMT$`, "i");
const ASCTIME = new RegExp(`^${DAY} ([a-z]{3}) ([ \\d]\\d) ${TIME} (\\d{4})$`, "i");

const FIFTY_YEARS = 50;

/**
 * An HTTP-date in any of its three forms (RFC 9110 §5.6.7) as milliseconds since the epoch, or null. `Date.parse` takes
 * far more than these forms (`0` is the year 2000 to it), and what is not a date has to be told from one here: an
 * unreadable `Expires` is in the past (RFC 9111 §5.3). Case does not matter to a cache (§4.2).
 *
 * @param now milliseconds since the epoch: a two-digit year more than 50 years ahead of it is in the past. Default 2026,
 *   for what only compares two dates of one message.
 */
export function parseHttpDate(text: string | null, now: number = Date.UTC(2026, 0)): number | null {
  if (text === null) return null;
  const fixed = IMF_FIXDATE.exec(text);
  if (fixed) return instant(fixed[3], fixed[2], fixed[1], fixed.slice(4, 7));
  const asctime = ASCTIME.exec(text);
  if (asctime) return instant(asctime[6], asctime[1], asctime[2], asctime.slice(3, 6));
  const old = RFC850.exec(text);
  if (!old) return null;
  const thisYear = new Date(now).getUTCFullYear();
  const year = thisYear - (thisYear % 100) + Number(old[3]);
  return instant(String(year > thisYear + FIFTY_YEARS ? year - 100 : year), old[2], old[1], old.slice(4, 7));
}

/** Milliseconds since the epoch as an IMF-fixdate. */
export function formatHttpDate(ms: number): string {
  return new Date(ms).toUTCString();
}

function instant(
  year: string | undefined,
  monthName: string | undefined,
  day: string | undefined,
  time: string[],
): number | null {
  const month = MONTHS.indexOf((monthName ?? "").toLowerCase());
  const [hour = 0, minute = 0, second = 0] = time.map(Number);
  // A leap second is written as 60.
  if (month < 0 || hour > 23 || minute > 59 || second > 60) return null;
  const date = new Date(Date.UTC(Number(year), month, Number(day), hour, minute, second));
  const rolledOver = date.getUTCMonth() !== month && second < 60;
  return Number.isNaN(date.getTime()) || rolledOver || Number(day) === 0 ? null : date.getTime();
}
