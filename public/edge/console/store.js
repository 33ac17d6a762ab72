// Where Redis stands, so that the page says why something is known or done in one isolate alone.

let status = "healthy";

/** @param told `health.store.status` of the last answer. */
export function learnStore(told) {
  status = told;
}

/** Whether there is one, reachable or not. */
export const hasRedis = () => status !== "not_configured";

/** Why an act holds in one isolate alone, and what to do about it: sentences. */
export function inOneIsolate() {
  return hasRedis()
    ? [
        "Redis does not answer. It is written when Redis is back, if the isolate still lives then.",
        "Do it again when Redis is back, to be sure.",
      ]
    : ["There is no Redis, so that no other isolate hears of it."];
}
