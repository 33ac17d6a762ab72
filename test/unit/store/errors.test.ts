import { expect, it } from "vitest";
import { commandError, refusesWrites } from "../../../src/store/errors.ts";

/** What Redis and Upstash answer a command with, in their own words, and what becomes of it. */
it.each<[text: string, code: string, redisCode: string, isCertain: boolean]>([
  ["OOM command not allowed when used memory > 'maxmemory'.", "command", "OOM", true],
  ["READONLY You can't write against a read only replica.", "command", "READONLY", true],
  ["ERR DB capacity quota exceeded", "command", "OOM", true],
  [
    "ERR DB capacity quota exceeded. Threshold: 268435456 bytes, Usage: 276006634 bytes",
    "command",
    "OOM",
    true,
  ],
  ["ERR Error running script: ERR DB capacity quota exceeded", "command", "OOM", true],
  ["ERR max requests limit exceeded. Limit: 500000, Usage: 500000", "throttled", "ERR", false],
  ["ERR max daily request limit exceeded. Limit: 10000, Usage: 10001", "throttled", "ERR", false],
  ["ERR max request size exceeded", "size", "ERR", true],
  ["ERR max request size exceeded. Limit: 10000000 bytes, Actual: 10000001 bytes", "size", "ERR", true],
  ["ERR max single record size exceeded", "size", "ERR", true],
  ["ERR max key size exceeded. Limit: 32768 bytes, Actual: 40000 bytes", "size", "ERR", true],
  ["WRONGPASS invalid or missing auth token", "unauthorized", "WRONGPASS", true],
  ["NOAUTH Authentication required.", "unauthorized", "NOAUTH", true],
  ["LOADING Redis is loading the dataset in memory", "server", "LOADING", true],
  ["BUSY Redis is busy running a script.", "server", "BUSY", true],
  ["MASTERDOWN Link with MASTER is down", "server", "MASTERDOWN", true],
  ["CLUSTERDOWN The cluster is down", "server", "CLUSTERDOWN", true],
  ["BUSYGROUP Consumer Group name already exists", "command", "BUSYGROUP", false],
  ["ERR injected BUSY", "command", "ERR", false],
  ["NOPERM this user has no permissions to run the 'evalsha' command", "command", "NOPERM", false],
  ["WRONGTYPE Operation against a key holding the wrong kind of value", "command", "WRONGTYPE", false],
  ["ERR injected", "command", "ERR", false],
])("%s", (text, code, redisCode, isCertain) => {
  const error = commandError(text, "evalsha");
  expect([error.code, error.redisCode, error.certainlyNotApplied]).toEqual([code, redisCode, isCertain]);
  expect(refusesWrites(redisCode)).toBe(isCertain && /command|server/.test(code));
});
