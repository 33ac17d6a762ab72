import { type Answer, ask } from "../ask.ts";
import { healthOf } from "./health.ts";
import { failed, type Outcome, passed, untested, type VerifyOptions } from "./outcome.ts";
import { askAfterLimit, isOwnRefusal, retryAfter, shown } from "./refusals.ts";
import { asNewUser } from "./session.ts";

/** The most requests that are sent to reach a limit. */
const MAX_REQUESTS = 200;

/** So many requests in a row that pass where none was left are no coincidence. */
const MAX_PAST_NONE = 3;

const remaining = ({ headers }: Answer) => Number(headers.get("x-ratelimit-remaining") ?? Number.NaN);

/**
 * The count falls with each request and ends with a refusal. It asks as a user of its own where it can, so that neither an
 * earlier run nor others at this address have used any of the limit.
 */
export async function rateLimiting(options: VerifyOptions): Promise<Outcome> {
  const health = await healthOf(options);
  if (health?.mode !== undefined && health.mode !== "enforce")
    return untested(`EDGE_MODE is ${health.mode}: no limit refuses anything`);
  return asNewUser(options, (headers) => countDown(options, headers));
}

async function countDown(options: VerifyOptions, headers: Record<string, string>): Promise<Outcome> {
  const { url, limitedPath } = options;
  const target = `${url}${limitedPath}`;
  const first = await askAfterLimit(options, target, headers);
  if (isOwnRefusal(first)) {
    const seconds = retryAfter(first);
    if (!(seconds >= 1)) return failed("the 429 has no Retry-After");
    return untested(
      `the limit of ${limitedPath} was used up before, by an earlier run or by others at this address; it is again in ${seconds} s`,
    );
  }
  if (Number.isNaN(remaining(first))) {
    const answered = first.status === 200 ? "" : ` (it answered ${shown(first)})`;
    return failed(
      `${limitedPath} shows no X-RateLimit-Remaining${answered}: name a limited path with --limited`,
    );
  }
  return judge(limitedPath, first, () => ask(target, { headers }));
}

async function judge(path: string, first: Answer, next: () => Promise<Answer>): Promise<Outcome> {
  const start = remaining(first);
  let left = start;
  let sent = 1;
  let fell = false;
  let pastNone = 0;
  let until = left + 2;
  while (sent < Math.min(until, MAX_REQUESTS)) {
    const answer = await next();
    sent += 1;
    if (isOwnRefusal(answer)) {
      const seconds = retryAfter(answer);
      if (!(seconds >= 1)) return failed("the 429 has no Retry-After");
      return passed(`refused after ${sent - 1} requests, Retry-After ${seconds} s`);
    }
    const now = remaining(answer);
    if (Number.isNaN(now)) return failed(`${path} answered ${shown(answer)} after ${sent - 1} requests`);
    // Units came back meanwhile: a window moved on, or a bucket was refilled. But not time after time, where none was left.
    pastNone = left === 0 ? pastNone + 1 : 0;
    if (now >= left && pastNone < MAX_PAST_NONE) until = sent + now + 2;
    fell ||= now < left;
    left = now;
  }
  if (sent < MAX_REQUESTS) {
    return failed(`${sent} requests at ${start} remaining, and none was refused: is it a shadow limit?`);
  }
  return fell
    ? passed(`${sent} requests took the count from ${start} to ${left}; it is too large to be used up here`)
    : failed(`${sent} requests, and the count does not fall`);
}
