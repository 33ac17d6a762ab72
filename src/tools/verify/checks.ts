import { type Answer, ask } from "../ask.ts";
import { redisConnection } from "./health.ts";
import { rateLimiting } from "./limits.ts";
import { failed, type Outcome, passed, untested, type VerifyOptions } from "./outcome.ts";
import { askAfterLimit, isOwnRefusal, retryAfter, shown } from "./refusals.ts";
import { asNewUser, sessionManagement } from "./session.ts";

export interface VerifyCheck {
  name: string;
  /** @throws AskError where the edge does not answer. */
  run(options: VerifyOptions): Promise<Outcome>;
}

/** The Python service's four checks, each of which can fail. */
export const verifyChecks: VerifyCheck[] = [
  { name: "Redis Connection", run: redisConnection },
  { name: "Rate Limiting", run: rateLimiting },
  { name: "Session Management", run: sessionManagement },
  { name: "Response Caching", run: responseCaching },
];

/** Asked twice, a cached path is a hit with the same body. */
async function responseCaching(options: VerifyOptions): Promise<Outcome> {
  const target = `${options.url}${options.cachedPath}`;
  const first = await ask(target);
  // Others at this address may have used up the path's limit; a new user has not.
  return isOwnRefusal(first)
    ? asNewUser(options, async (headers) =>
        twice(options, await askAfterLimit(options, target, headers), headers),
      )
    : twice(options, first, {});
}

async function twice(
  { url, cachedPath }: VerifyOptions,
  first: Answer,
  headers: Record<string, string>,
): Promise<Outcome> {
  if (isOwnRefusal(first)) return usedUp(cachedPath, first);
  if (first.status !== 200)
    return failed(`${cachedPath} answered ${shown(first)}: name a cached path with --cached`);
  const second = await ask(`${url}${cachedPath}`, { headers });
  if (isOwnRefusal(second)) return usedUp(cachedPath, second);
  const [before, now] = [first, second].map((answer) => answer.headers.get("x-cache"));
  if (now !== "HIT") return failed(`asked twice, X-Cache is ${now ?? "absent"}`);
  if (second.text !== first.text) return failed("the hit has another body");
  return passed(`${before} then ${now}, the same body`);
}

function usedUp(path: string, answer: Answer): Outcome {
  return untested(`the limit of ${path} is used up; it is again in ${retryAfter(answer)} s`);
}
