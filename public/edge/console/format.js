// Numbers and times as the page writes them.

import { edgeNow } from "./time.js";

const whole = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });
const short = new Intl.NumberFormat("en", { notation: "compact", maximumFractionDigits: 1 });
const fraction = new Intl.NumberFormat("en", { maximumFractionDigits: 1 });
const clockText = new Intl.DateTimeFormat("en", {
  hour: "2-digit",
  minute: "2-digit",
  second: "2-digit",
  hourCycle: "h23",
});
const dayText = new Intl.DateTimeFormat("en", { day: "numeric", month: "short" });

/** What is not known. */
export const UNKNOWN = "—";

/** Between a number and its unit no line ends. */
const UNBROKEN = "\u00a0";

/** @example number(12345) // "12,345" */
export function number(value) {
  if (!Number.isFinite(value)) return UNKNOWN;
  return value >= 1_000_000 ? short.format(value) : whole.format(value);
}

/** A part of a whole. @example percent(1, 3) // "33.3 %" */
export function percent(part, all) {
  if (!Number.isFinite(part) || !(all > 0)) return UNKNOWN;
  const share = (part / all) * 100;
  if (share > 0 && share < 0.1) return `<${UNBROKEN}0.1${UNBROKEN}%`;
  if (share > 99.9 && share < 100) return `>${UNBROKEN}99.9${UNBROKEN}%`;
  return `${fraction.format(share)}${UNBROKEN}%`;
}

const UNITS = ["bytes", "KB", "MB", "GB", "TB", "PB"];

/** @example bytes(12_345_678) // "12.3 MB" */
export function bytes(value) {
  if (!Number.isFinite(value)) return UNKNOWN;
  let unit = 0;
  let size = value;
  while (size >= 1000 && unit < UNITS.length - 1) {
    size /= 1000;
    unit += 1;
  }
  return unit === 0
    ? `${whole.format(size)} ${size === 1 ? "byte" : "bytes"}`
    : `${fraction.format(size)}${UNBROKEN}${UNITS[unit]}`;
}

/** @example ms(1250) // "1.3 s" */
export function ms(value) {
  if (!Number.isFinite(value)) return UNKNOWN;
  if (value < 1000) return `${fraction.format(value)}${UNBROKEN}ms`;
  return `${fraction.format(value / 1000)}${UNBROKEN}s`;
}

/** The time of a day, with the day where it is not the edge's today. Both: ms since the epoch, by the edge's clock. */
export function clock(at, now = edgeNow()) {
  if (!Number.isFinite(at)) return UNKNOWN;
  const time = clockText.format(at);
  return new Date(at).toDateString() === new Date(now).toDateString()
    ? time
    : `${dayText.format(at)}, ${time}`;
}

const SPANS = [
  [86_400_000, "day"],
  [3_600_000, "hour"],
  [60_000, "minute"],
  [1000, "second"],
];

/** A length of time in its largest unit. @example span(120_000) // "2 minutes" */
export function span(length) {
  for (const [unit, name] of SPANS) {
    if (length < unit) continue;
    return plural(Math.floor(length / unit), name);
  }
  return "0 seconds";
}

/** @example ago(now - 120_000, now) // "2 minutes ago" */
export function ago(at, now) {
  if (!Number.isFinite(at)) return UNKNOWN;
  return now - at < 1000 ? "just now" : `${span(now - at)} ago`;
}

/** @example plural(2, "path") // "2 paths" */
export function plural(count, name, several = `${name}s`) {
  return `${number(count)} ${count === 1 ? name : several}`;
}

/** Words as a list. @example list(["a", "b", "c"]) // "a, b and c" */
export function list(words) {
  if (words.length < 2) return words.join("");
  return `${words.slice(0, -1).join(", ")} and ${words.at(-1)}`;
}
