export type { RedisChoice } from "./choice.ts";
export type { EndpointCall } from "./endpoint.ts";
export { type LocalRedis, RedisChoiceError } from "./redis.ts";
export type { RespReply } from "./resp.ts";
export { startUpstashLocal, type UpstashLocal, type UpstashLocalOptions } from "./start.ts";
