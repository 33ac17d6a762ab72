import fc from "fast-check";
import { openapiDocument } from "../../../src/tools/openapi/document.ts";
import type { Operation } from "../../../src/tools/openapi/operation.ts";
import { operations } from "../../../src/tools/openapi/operations.ts";

/** The tokens that a request may carry. */
export interface Tokens {
  service: string;
  admin: string;
  metrics: string;
  session: string;
  /** The id of that session. */
  sessionId: string;
}

/** One request, as it is sent. */
export interface Input {
  method: string;
  /** With the query. */
  target: string;
  headers: [name: string, value: string][];
  body: Buffer | null;
}

const METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "QUERY", "PROPFIND"];
const TYPES = [
  ...["application/json", "application/json; charset=utf-8", "application/problem+json", "APPLICATION/JSON"],
  ...["text/plain", "text/plain;charset=UTF-8", "text/html", "application/x-www-form-urlencoded"],
  ...[
    "multipart/form-data; boundary=x",
    "application/octet-stream",
    "application/xml",
    "json",
    "",
    "/",
    "a/b;;",
  ],
];
const HEX = "0123456789abcdef0123456789abcdef";
const PARAMETERS: Record<string, string[]> = {
  id: ["a".repeat(22), "version", "index:0", HEX],
  user: ["ada", "..%2f", "user%40example.com", "%F0%9F%99%82", "x".repeat(257)],
  caller: [
    ...["user:ada", "key:tester", "key:nobody", `hash:${HEX}`, "hash:0", "user:", `user:${"x".repeat(300)}`],
    ...["ip:203.0.113.7", "USER:ada", "user%3Aada", "user:%00", "lookup"],
  ],
  file: ["main.js", "index.html", "style.css", "none.js", "a%2fb", "..%2fopenapi.json", "MAIN.JS", ".env"],
  key: [`hash:${HEX}`, "hash:XYZ", "lookup", HEX],
};
const ODD_SEGMENTS = [
  "%",
  "%zz",
  "%E0%A4%A",
  "%ff",
  "%00",
  "a%2Fb",
  "..;",
  "%2e%2e%2f",
  "~",
  "'",
  "*",
  ":",
  "a b",
];

/** What a body's members may hold in place of what they should. */
const oddValue = fc.oneof(
  fc.jsonValue(),
  fc.constantFrom<unknown>(
    null,
    "",
    0,
    -1,
    1.5,
    1e308,
    [],
    {},
    [null],
    "\ud800",
    "x".repeat(5000),
    [[]],
    true,
  ),
);
const strings = fc.oneof(
  fc.string({ unit: "binary" }),
  fc.constantFrom("ada", "/v1/emissions", "edge.example/a/", "//evil"),
);
const urls = fc.oneof(
  fc.constantFrom(
    "/v1/emissions/factors",
    "https://edge.example/x",
    "http://[::1]/",
    "/",
    "https://",
    "javascript:1",
    "/\\x",
  ),
  fc.webUrl(),
);

const hosts = fc.constantFrom(
  "api.example",
  "API.example:8443",
  "",
  "//x",
  "a b",
  "xn--",
  "[::1]",
  "console.example",
);
/** Members with the right names, mostly of the right kind. */
const MEMBERS: Record<string, fc.Arbitrary<unknown>> = {
  NewSession: fc.record(
    {
      user_id: fc.oneof(fc.string({ unit: "binary", maxLength: 300 }), fc.constantFrom(".", "..", "ada")),
      user_data: fc.jsonValue(),
      device_info: fc.jsonValue(),
      ip_address: fc.option(fc.ipV4()),
      tier: fc.option(strings),
      ttl: fc.oneof(fc.nat(), fc.double()),
    },
    { requiredKeys: ["user_id"] },
  ),
  Purge: fc.oneof(
    fc.record({
      tags: fc.array(fc.constantFrom("news", "\u00e9"), { minLength: 1, maxLength: 3 }),
      soft: fc.boolean(),
    }),
    fc.record(
      {
        files: fc.array(urls, { maxLength: 5 }),
        prefixes: fc.array(strings, { maxLength: 5 }),
        tags: fc.array(strings, { maxLength: 5 }),
        users: fc.array(strings, { maxLength: 5 }),
        purge_everything: fc.boolean(),
        soft: fc.boolean(),
        host: hosts,
      },
      { requiredKeys: [] },
    ),
  ),
  Warm: fc.oneof(
    fc.record({
      paths: fc.array(fc.constantFrom("/v1/emissions/factors", "/"), { minLength: 1, maxLength: 3 }),
    }),
    fc.record({ paths: fc.array(urls, { maxLength: 4 }), host: hosts }, { requiredKeys: ["paths"] }),
  ),
  RouteLookup: fc.record(
    {
      path: fc.oneof(
        strings,
        urls,
        fc.constantFrom("/v1/emissions/x?y", "/edge/limits/a", "/%", "/a//b", "/%2e%2e", "/\ud800"),
        fc.webPath(),
      ),
      method: fc.constantFrom("GET", "post", "QUERY", "", "A B", "x".repeat(33)),
    },
    { requiredKeys: ["path"] },
  ),
  LimitLookup: fc
    .tuple(
      fc.oneof(
        fc.record({
          address: fc.oneof(
            fc.ipV4(),
            fc.ipV6(),
            strings,
            fc.constantFrom("2001:db8::/64", "::ffff:1.2.3.4", "1.2.3.4/8"),
          ),
        }),
        fc.record({ user: strings }),
        fc.record({ key: fc.constantFrom("tester", "nobody", "") }),
        fc.record({ hash: fc.constantFrom(HEX, `hash:${HEX}`, HEX.toUpperCase(), "0") }),
        fc.constant({}),
        fc.record({ user: strings, address: fc.ipV4() }),
      ),
      fc.option(fc.boolean(), { nil: undefined }),
    )
    .map(([who, reset]) => ({ ...who, ...(reset !== undefined && { reset }) })),
  OneUser: fc.record({ user: strings }),
  UserOrEveryone: fc.oneof(
    { weight: 6, arbitrary: fc.record({ user: strings }) },
    fc.record({ everyone: fc.boolean() }),
    fc.record({ user: strings, everyone: fc.boolean() }),
  ),
  KeyLookup: fc.record({ key: strings, end: fc.boolean() }, { requiredKeys: ["key"] }),
};

/** Bodies that are no such object at all, or not only. */
const oddBody = fc.oneof(
  fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes)),
  fc.jsonValue().map((value) => Buffer.from(JSON.stringify(value))),
  fc
    .constantFrom(
      ...[
        "",
        "{",
        "nul",
        '{"user_id":"a","user_id":7}',
        '{"__proto__":{"user_id":"a"}}',
        "\ufeff{}",
        "[]",
        '"x"',
      ],
      ...[
        '{"user_id":"a","user_data":NaN}',
        `${"[".repeat(20_000)}${"]".repeat(20_000)}`,
        `{"paths":["/"]}trailing`,
      ],
      ...[
        `{"user_id":"a","user_data":${"[".repeat(8000)}${"]".repeat(8000)}}`,
        `{"address":"${"1".repeat(70_000)}"}`,
      ],
      ...[
        `{"user_id":"a","user_data":${"[".repeat(30_000)}${"]".repeat(30_000)}}`,
        `{"user_id":"a","device_info":${'{"a":'.repeat(9000)}1${"}".repeat(9000)}}`,
        `${'{"files":'.repeat(100_000)}1${"}".repeat(100_000)}`,
        '{"user_id":"a","ttl":1e400}',
        '{"user_id":"a","ttl":-1e400,"user_data":[1e400,-0,1e-400]}',
        '{"user_id":"\\ud800","tier":"\\udfff"}',
        '{"user_id":"a","constructor":{"prototype":{}},"toString":1}',
        '\ufeff{"user_id":"a"}',
        '{"tags":["a"],"tags":["b\\u0000"]}',
        '--x\r\nContent-Disposition: form-data; name="user_id"\r\n\r\na\r\n--x--\r\n',
        "user_id=a&ttl=1",
      ],
    )
    .map((text) => Buffer.from(text)),
  fc
    .constantFrom('{"user_id":"a"}', '{"paths":["/"]}', '{"purge_everything":true}')
    .map((text) => Buffer.from(`\ufeff${text}`, "utf16le")),
  fc.constantFrom(64 * 1024 + 1, 2 * 1024 * 1024 + 1).map((length) => Buffer.alloc(length, " ")),
);

function bodyOf({ body }: Operation): fc.Arbitrary<Buffer | null> {
  const members = body && MEMBERS[body.schema];
  if (body && !members)
    throw new Error(`Bodies of ${body.schema} have no generator in test/support/openapi/inputs.ts`);
  if (!members) return fc.option(oddBody, { freq: 4 });
  const changed = fc
    .tuple(members, fc.constantFrom(...membersOf(body.schema), "unknown", "__proto__"), oddValue)
    .map(([value, name, odd]) => ({ ...Object(value), [name]: odd }));
  const json = fc.oneof({ weight: 3, arbitrary: members }, { weight: 2, arbitrary: changed });
  return fc.oneof(
    { weight: 5, arbitrary: json.map((value) => Buffer.from(JSON.stringify(value))) },
    { weight: 2, arbitrary: oddBody },
  );
}

function membersOf(schema: string): string[] {
  const { components } = openapiDocument() as {
    components: { schemas: Record<string, { properties?: object }> };
  };
  return Object.keys(components.schemas[schema]?.properties ?? {});
}

const segment = (name: string, { sessionId }: Tokens) =>
  fc.oneof(
    { weight: name === "id" ? 4 : 0, arbitrary: fc.constant(sessionId) },
    { weight: 4, arbitrary: fc.constantFrom(...(PARAMETERS[name] ?? ["x"])) },
    { weight: 1, arbitrary: fc.constantFrom(...ODD_SEGMENTS).map((text) => text.replaceAll(" ", "%20")) },
    { weight: 1, arbitrary: fc.string({ unit: "binary-ascii", minLength: 1 }).map(encodeURIComponent) },
  );

function pathOf({ path, query: parameters }: Operation, tokens: Tokens): fc.Arbitrary<string> {
  const names = [...path.matchAll(/\{(\w+)\}/g)].map(([, name = ""]) => name);
  const filled = fc
    .tuple(...names.map((name) => segment(name, tokens)))
    .map((values) =>
      names.reduce((text, name, at) => text.replace(`{${name}}`, () => values[at] ?? ""), path),
    );
  const query = fc.oneof(
    { weight: 5, arbitrary: fc.constant("") },
    fc.webQueryParameters().map((text) => `?${text}`),
    {
      weight: parameters ? 5 : 0,
      arbitrary: fc.constantFrom("?minutes=5", "?minutes=120", "?minutes=0", "?minutes=x"),
    },
    fc.constantFrom("?", "?api_key=k", "?api_key=a&api_key=b", "?%", "?x[]=1&x[]=2", `?${"q".repeat(3000)}`),
  );
  const slash = fc.oneof({ weight: 9, arbitrary: fc.constant("") }, fc.constant("/"));
  return fc.tuple(filled, slash, query).map((parts) => parts.join(""));
}

const visible = fc.string({
  unit: fc.constantFrom(...Array.from({ length: 94 }, (_, at) => String.fromCharCode(33 + at))),
});

function headersOf({ service, admin, metrics, session }: Tokens, { credentials }: Operation) {
  const tokens = { adminToken: admin, metricsToken: metrics, serviceToken: service };
  const names = ["adminToken", "metricsToken", "serviceToken"] as const;
  const name = names.find((each) => credentials.includes(each));
  const right = name ? tokens[name] : session;
  const authorization = fc.oneof(
    { weight: 6, arbitrary: fc.constant(`Bearer ${right}`) },
    {
      weight: 2,
      arbitrary: fc.constantFrom(service, admin, metrics, session).map((token) => `Bearer ${token}`),
    },
    fc.constantFrom(
      "Bearer",
      "Bearer ",
      "bearer x",
      "Basic eDp5",
      `Bearer ${right}, Bearer x`,
      "Bearer es1.x.y",
      right,
    ),
    visible.map((text) => `Bearer ${text}`),
  );
  const odd = fc.constantFrom<[string, string]>(
    ["origin", "https://evil.example"],
    ["origin", "null"],
    ["sec-fetch-site", "cross-site"],
    ["cookie", `session=${session}`],
    ["cookie", `session=${session}; session=es1.x`],
    ["cookie", ";;=;a"],
    ["x-api-key", "k"],
    ["traceparent", "00-0-0-0"],
    ["traceparent", `00-${HEX}-0123456789abcdef-01`],
    ["content-encoding", "gzip"],
    ["content-encoding", "identity"],
    ["accept", "application/xml"],
    ["if-none-match", "*"],
    ["if-none-match", '"x"'],
    ["range", "bytes=0-1"],
    ["cache-control", "only-if-cached"],
    ["x-http-method-override", "DELETE"],
    ["access-control-request-method", "DELETE"],
    ["x-request-id", "mine"],
    ["x-session-token", "es1.x"],
    ["expect", "200-ok"],
  );
  return fc
    .tuple(
      fc.option(authorization, { freq: 8 }),
      fc.option(fc.constantFrom(...TYPES), { freq: 4 }),
      fc.array(odd, { maxLength: 2 }),
      fc.ipV4(),
    )
    .map(([token, type, more, address]): Input["headers"] => [
      ...(token === null ? [] : [["authorization", token] as [string, string]]),
      ...(type === null ? [] : [["content-type", type] as [string, string]]),
      ...more,
      ["cf-connecting-ip", address],
    ]);
}

/** Requests to an operation: mostly nearly right, so that they come past the first check. */
export function inputsOf(operation: Operation, tokens: Tokens): fc.Arbitrary<Input> {
  const method = fc.oneof(
    { weight: 8, arbitrary: fc.constant(operation.method.toUpperCase()) },
    { weight: 1, arbitrary: fc.constantFrom(...METHODS) },
  );
  return fc.record({
    method,
    target: pathOf(operation, tokens),
    headers: headersOf(tokens, operation),
    body: bodyOf(operation),
  });
}

export { operations };
