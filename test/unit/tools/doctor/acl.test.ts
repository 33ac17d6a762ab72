import { describe, expect, it } from "vitest";
import { aclLines, aclRules } from "../../../../src/tools/doctor/acl.ts";
import { RespError } from "../../../../src/tools/upstash-local/resp.ts";
import { hasRedisServer, startHarness } from "../../../support/upstash-local.ts";

const prefixes = { cache: "my:cache", rateLimit: "my:limits", session: "my:sessions" };

describe("the rules", () => {
  it("allow keys below the three prefixes, the Worker's commands and a handler's own", () => {
    const rules = aclRules({ prefixes, commands: ["GET", "LPUSH", " ltrim "], keys: ["orders:*", "~log"] });
    expect(rules.filter((rule) => rule.startsWith("~"))).toEqual([
      "~my:cache:*",
      "~my:limits:*",
      "~my:sessions:*",
      "~orders:*",
      "~log",
    ]);
    const commands = rules.filter((rule) => rule.startsWith("+"));
    expect(commands).toContain("+lpush");
    expect(commands).toContain("+ltrim");
    expect(
      commands.filter((rule) => rule === "+get"),
      "once",
    ).toHaveLength(1);
    expect(rules.join(" ")).not.toMatch(/@|allkeys|\+flushall|\+keys\b/);
  });

  it.each([
    ["my*cache", "~my\\*cache:*"],
    ["a?[b]\\", "~a\\?\\[b\\]\\\\:*"],
    ["{tenant}", "~{tenant}:*"],
    ['say"hi', '~say"hi:*'],
  ])("take a prefix as it is written: %s", (cache, rule) => {
    expect(aclRules({ prefixes: { ...prefixes, cache } })[0]).toBe(rule);
  });

  it("are quoted where redis-cli would read them otherwise", () => {
    const [, line = ""] = aclLines(aclRules({ prefixes: { ...prefixes, cache: "my*cache" } }));
    expect(line).toContain('ACL SETUSER edge reset on >THE_TOKEN "~my\\\\*cache:*" ~my:limits:* ');
  });

  it.each([
    ["@read", "names a category"],
    ["+@all", "names a category"],
    ["client|list", "names a subcommand"],
    ["get set", "is no name of a command"],
    ["", "is no name of a command"],
    ["~*", "is no name of a command"],
  ])("are refused for --commands %j", (command, why) => {
    expect(() => aclRules({ prefixes, commands: [command] })).toThrow(why);
  });

  it.each(["two words", "", "ключ"])("are refused for --keys %j", (pattern) => {
    expect(() => aclRules({ prefixes, keys: [pattern] })).toThrow("is no pattern");
  });
});

describe.runIf(hasRedisServer)("a user with these rules, in Redis", () => {
  it("may do what they say below odd prefixes, and nothing beside", async () => {
    const upstash = await startHarness(
      "required",
      aclRules({ prefixes: { ...prefixes, cache: "my*[cache]" }, commands: ["LPUSH"] }),
    );
    try {
      expect(await upstash.ask("SET", "my*[cache]:k:a", "1", "PX", 600_000)).toBe("OK");
      expect(await upstash.ask("LPUSH", "my:limits:list", "1")).toBe(1);
      expect(await upstash.ask("EVAL", "return redis.call('GET', KEYS[1])", 1, "my*[cache]:k:a")).toBe("1");
      const refused = [
        ["SET", "myXXcache:k:a", "1"],
        ["GET", "other"],
        ["KEYS", "*"],
        ["FLUSHALL"],
        ["CONFIG", "GET", "*"],
        ["ACL", "WHOAMI"],
        ["EVAL", "return redis.call('KEYS', '*')", 0],
        ["EVAL", "return redis.call('GET', 'other')", 0],
      ];
      for (const command of refused) {
        const { body } = await upstash.post("/", command);
        expect((body as { error?: string }).error, command.join(" ")).toMatch(
          /NOPERM|executing the script can't|No permission/i,
        );
      }
      expect(await upstash.redis.command("DBSIZE"), "who started it may do everything").not.toBeInstanceOf(
        RespError,
      );
    } finally {
      await upstash.stop();
    }
  });
});
