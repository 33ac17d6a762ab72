import { describe, expect, it } from "vitest";
import type { ConfigIssue } from "../../../src/config/config-error.ts";
import { readVariables } from "../../../src/config/read-variables.ts";
import { type VariableName, variables } from "../../../src/config/variables-table.ts";

const STRONG = "0123456789abcdef0123456789abcdef";

function read(name: VariableName, value: unknown) {
  const issues: ConfigIssue[] = [];
  const values = readVariables(variables, { [name]: value }, issues, []);
  return { value: values[name], issues };
}

/** Ten inputs of each kind: what is read, or `refused`. */
const refused = Symbol("refused");
const kinds: [name: VariableName, inputs: [input: unknown, result: unknown][]][] = [
  [
    "STORE_DEADLINE_MS",
    [
      ["400", 400],
      [" 10 ", 10],
      [10_000, 10_000],
      ["", 400],
      ["  ", 400],
      ["9", refused],
      ["10001", refused],
      ["4e2", refused],
      ["1_000", refused],
      [true, refused],
    ],
  ],
  [
    "USE_REDIS_CACHE",
    [
      ["true", true],
      ["False", false],
      [false, false],
      ["1", true],
      ["off", false],
      [" yes ", true],
      ["", true],
      [null, true],
      ["maybe", refused],
      [2, refused],
    ],
  ],
  [
    "EDGE_MODE",
    [
      ["observe", "observe"],
      ["OBSERVE", "observe"],
      [" bypass\n", "bypass"],
      ["", "enforce"],
      [undefined, "enforce"],
      ["off", refused],
      ["enforce,observe", refused],
      [1, refused],
      [["observe"], refused],
      ["obs\u0000erve", refused],
    ],
  ],
  [
    "JWT_ISSUER",
    [
      ["https://issuer.example/", "https://issuer.example/"],
      [" a b ", "a b"],
      [7, "7"],
      ["", null],
      [undefined, null],
      ["é", "é"],
      [{}, refused],
      [["a"], refused],
      ["a\nb", refused],
      ["a\u0085b", refused],
    ],
  ],
  [
    "REDIS_CACHE_PREFIX",
    [
      ["mine:cache", "mine:cache"],
      ["", "envoyou:cache"],
      [" mine ", "mine"],
      [5, "5"],
      ["{tag}", "{tag}"],
      ["my cache", refused],
      ["caché", refused],
      ["a\tb", refused],
      [[], refused],
      [{ a: 1 }, refused],
    ],
  ],
  [
    "ORIGIN_TOKEN",
    [
      ["token-of-the-origin", "token-of-the-origin"],
      ["\ufefftoken\r\n", "token"],
      ["", null],
      ["to\nken", refused],
      ["to ken", refused],
      ["token\u2026", refused],
      ['"token"', "token"],
      ["'token'", "token"],
      ["to\u00a0ken", refused],
      [12, refused],
    ],
  ],
  [
    "SERVICE_TOKEN",
    [
      [STRONG, [STRONG]],
      [`${STRONG}, ${STRONG}2`, [STRONG, `${STRONG}2`]],
      ["", []],
      ["short", refused],
      [`${STRONG},`, refused],
      [`${STRONG},,${STRONG}`, refused],
      [`,${STRONG}`, refused],
      [`${STRONG} ${STRONG}`, refused],
      [`${STRONG}\n${STRONG}`, refused],
      [[STRONG], refused],
    ],
  ],
  [
    "SESSION_SECRET",
    [
      [STRONG, [STRONG]],
      [`${STRONG},${STRONG}2`, [STRONG, `${STRONG}2`]],
      ["correct horse battery staple again", refused],
      // A key that stays in the Worker may have any letters.
      ["ein-Schlüssel-mit-mehr-als-32-Zeichen", ["ein-Schlüssel-mit-mehr-als-32-Zeichen"]],
      ["", []],
      ["0123456789abcdef0123456789abcde", refused],
      [`${STRONG}\u0007`, refused],
      [`${STRONG}\n${STRONG}`, refused],
      [`${STRONG}, `, refused],
      [42, refused],
    ],
  ],
  [
    "ORIGIN_URL",
    [
      ["https://api.example.com", "https://api.example.com/"],
      [" http://127.0.0.1:8080/base\n", "http://127.0.0.1:8080/base"],
      ["", null],
      ["api.example.com", refused],
      ["ftp://api.example.com", refused],
      ['"https://api.example.com"', refused],
      ["https://user:pass@api.example.com", refused],
      ["https://api.example.com?a=1", refused],
      ["rediss://default:pass@eu.upstash.io:6379", refused],
      [443, refused],
    ],
  ],
  [
    "HEALTH_PATH",
    [
      ["/status", "/status"],
      ["/a/b-c_d.e~f", "/a/b-c_d.e~f"],
      ["", "/health"],
      ["status", refused],
      ["/status/", refused],
      ["/", refused],
      ["/:id", refused],
      ["/a//b", refused],
      ["/a/../b", refused],
      ["/a b", refused],
    ],
  ],
  [
    "CORS_ALLOWED_ORIGINS",
    [
      ["https://a.example", ["https://a.example"]],
      ["https://a.example, https://b.example", ["https://a.example", "https://b.example"]],
      ["", []],
      [" , ", refused],
      ["https://a.example,", refused],
      [",https://a.example", refused],
      ["https://a.example,,https://b.example", refused],
      [["https://a.example"], refused],
      ["https://a.example\u0001", refused],
      [{}, refused],
    ],
  ],
];

describe.each(kinds)("%s", (name, inputs) => {
  it.each(inputs)("reads %j", (input, result) => {
    const { value, issues } = read(name, input);
    if (result !== refused) {
      expect(issues).toEqual([]);
      expect(value instanceof URL ? value.href : value).toEqual(result);
      return;
    }
    expect(issues.length).toBeGreaterThan(0);
    for (const issue of issues) {
      expect(issue.place).toMatch(new RegExp(`^${name}`));
      expect(issue.fix).toMatch(/^[A-Z].*\.$/);
      expect(issue.found).not.toBe("");
    }
  });
});

const all = Object.keys(variables) as VariableName[];
const ofKind = (...asked: string[]) => all.filter((name) => asked.includes(variables[name].kind));

describe("what came along when a value was pasted", () => {
  const around = [
    (text: string) => `"${text}"`,
    (text: string) => `'${text}'`,
    (text: string) => ` "${text}"\n`,
    (text: string) => `\u201c${text}\u201d`,
    (text: string) => `\ufeff${text}\u200b`,
    (text: string) => `\u00a0${text}\r\n`,
  ];
  const good: Partial<Record<(typeof variables)[VariableName]["kind"], string>> = {
    text: "mine",
    list: "one",
    integer: "100",
    boolean: "false",
    url: "https://api.example.com/v1",
    path: "/mine",
  };
  it.each(all.filter((name) => good[variables[name].kind]))("is not part of %s", (name) => {
    const text = good[variables[name].kind] ?? "";
    const value = name === "RATE_LIMIT_IPV6_PREFIX" ? "60" : text;
    const seconds = /SECONDS$/.test(name) ? "100" : value;
    for (const put of around) {
      const isQuoted = variables[name].kind === "url" && /["'\u201c]/.test(put(""));
      if (isQuoted) expect(read(name, put(seconds)).issues, put(seconds)).toMatchObject([{ place: name }]);
      else expect(read(name, put(seconds)), put(seconds)).toEqual(read(name, seconds));
    }
  });

  it.each(ofKind("list"))("is not part of an element of %s", (name) => {
    for (const text of ['"a","b"', "'a', 'b'", "\u201ca\u201d,\u201cb\u201d", "a\u200b,\ufeffb", '"a,b"'])
      expect(read(name, text), text).toEqual({ value: ["a", "b"], issues: [] });
  });

  it.each(ofKind("list"))("of another notation is an issue of %s", (name) => {
    for (const text of ['["a"]', '["a","b"]', "['a', 'b']", 'a,b"', '[a,"b"]'])
      expect(read(name, text).issues, text).not.toEqual([]);
  });

  it.each(ofKind("text", "list"))("and is inside of %s is an issue", (name) => {
    for (const text of ["one\u200btwo", "one\u00adtwo", "one,two\u200bthree", "one\ntwo"])
      expect(read(name, text).issues, text).not.toEqual([]);
  });

  it.each(all.filter((name) => !["routes", "binding"].includes(variables[name].kind)))(
    "from a script that had no value is an issue of %s",
    (name) => {
      for (const value of ["undefined", " null\n", '"undefined"', "NaN", "[object Object]", Number.NaN]) {
        const { issues } = read(name, value);
        expect(issues, String(value)).toHaveLength(1);
        expect(issues[0]?.place).toBe(name);
      }
    },
  );

  it.each(all)("and leaves nothing between quotes leaves %s unset", (name) => {
    if (["routes", "binding"].includes(variables[name].kind)) return;
    for (const value of ['""', "''", ' "" ', "\ufeff"])
      expect(read(name, value)).toEqual(read(name, undefined));
  });
});

it("shows no secret and no password, whatever is wrong with it", () => {
  const names: VariableName[] = [
    "ORIGIN_TOKEN",
    "SERVICE_TOKEN",
    "SESSION_SECRET",
    "API_KEYS",
    "ORIGIN_URL",
    "UPSTASH_REDIS_REST_URL",
  ];
  const inputs = [
    "hunter2\nhunter2",
    '"hunter2"',
    "redis://default:hunter2@host:6379",
    "redis-cli --tls -u redis://default:hunter2@host:6379",
    "https://default:hunter2@host",
    "default:hunter2@host:6379",
    "https://[default:hunter2@host",
    "hunter2 hunter2",
    ["hunter2"],
    { password: "hunter2" },
  ];
  for (const name of names)
    for (const input of inputs)
      expect(JSON.stringify(read(name, input).issues), name).not.toContain("hunter2");
});

it("reads a former name, names it in an issue, and warns of it", () => {
  const issues: ConfigIssue[] = [];
  const warnings: string[] = [];
  expect(readVariables(variables, { JWT_SECRET_KEY: STRONG }, issues, warnings).JWT_SECRET).toEqual([STRONG]);
  expect(warnings).toEqual(["JWT_SECRET_KEY is the old name of JWT_SECRET: it works, but rename it."]);
  readVariables(variables, { JWT_SECRET_KEY: "short" }, issues, warnings);
  expect(issues.map(({ place }) => place)).toEqual(["JWT_SECRET_KEY"]);
});

describe("a value of another type than any variable has is told in words", () => {
  const circular: unknown[] = [];
  circular.push(circular);
  const odd = [["https://a.example"], { a: 1 }, () => 1, 10n, Symbol("a"), circular, "x", ""];
  it.each(Object.keys(variables) as VariableName[])("%s", (name) => {
    for (const value of odd)
      for (const { place, found, fix } of read(name, value).issues) {
        expect(place).toMatch(name);
        expect(found).not.toMatch(/\ba [aeiou]|^$/);
        expect(fix).toMatch(/^[A-Z].*\.$/);
      }
  });

  it("and a list as JSON has it is told how one is written", () => {
    for (const name of ["CORS_ALLOWED_ORIGINS", "ALLOW_LIST", "JWT_AUDIENCE"] as const)
      expect(read(name, ["https://a.example"]).issues).toEqual([
        {
          place: name,
          found: '["https://a.example"]',
          fix: "Must be a text, with commas in a list.",
        },
      ]);
  });
});
