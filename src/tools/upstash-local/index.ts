/**
 * Upstash's REST protocol on this machine, in front of a Redis: for tests and development in Node, without an account and without Docker.
 *
 * @module
 */
export type { RedisChoice } from "./choice.ts";
export type { EndpointCall } from "./endpoint.ts";
export { type LocalRedis, RedisChoiceError } from "./redis.ts";
export { RespError, type RespReply } from "./resp.ts";
export { startUpstashLocal, type UpstashLocal, type UpstashLocalOptions } from "./start.ts";
