import { parseArgs } from "node:util";
import { AclError, aclLines, aclRules } from "./acl.ts";
import { createRedact, type Finding, note, shown, withinDeadline, wrong } from "./report.ts";
import type { Settings } from "./settings.ts";

const USAGE = `Usage: npm run doctor -- [options]

  --env NAME        an environment of wrangler.toml; default the top level, or CLOUDFLARE_ENV
  --config FILE     default wrangler.toml
  --path PATH       what your API is asked for; default /
  --commands A,B    Redis commands that your handlers use, for the token's rules
  --keys A,B        patterns of the keys that they use, such as orders:*

Values come from the environment, .dev.vars and wrangler.toml. Secrets of a deployed Worker cannot be read: give them in the
environment, as in UPSTASH_REDIS_REST_TOKEN=… npm run doctor -- --env production. Exit code 0 only if all is well.`;

/** No look takes longer than this, whatever it waits for. */
const LOOK_MS = 20_000;

function given() {
  try {
    const { values } = parseArgs({
      options: {
        env: { type: "string", short: "e" },
        config: { type: "string", short: "c", default: "wrangler.toml" },
        path: { type: "string", default: "/" },
        commands: { type: "string", multiple: true, default: [] },
        keys: { type: "string", multiple: true, default: [] },
        help: { type: "boolean", short: "h", default: false },
      },
    });
    return values;
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : error}\n\n${USAGE}`);
    return null;
  }
}

const listed = (texts: readonly string[]) =>
  texts.flatMap((text) => text.split(/[\s,]+/)).filter((text) => text !== "");

/** Prints all lines as they come. @returns the exit code. */
async function main(): Promise<number> {
  const options = given();
  if (options === null) return 2;
  if (options.help) {
    console.log(USAGE);
    return 0;
  }
  // These bring wrangler, which takes seconds to load: not for a mistyped option.
  const { lookAtSecrets } = await import("./secrets.ts");
  const { lookAtOrigin } = await import("./origin.ts");
  const { lookAtStore, prefixesOf } = await import("./store.ts");
  const environment = options.env || process.env.CLOUDFLARE_ENV || undefined;
  const read = await settingsOf(options.config, environment);
  if (typeof read === "string") {
    console.log(shown(wrong(read)).join("\n"));
    return 1;
  }
  const redact = createRedact(read.secrets);
  let bad = 0;
  const print = (findings: readonly Finding[]) => {
    bad += findings.filter(({ state }) => state === "wrong").length;
    for (const finding of findings) for (const line of shown(finding)) console.log(redact(line));
  };
  // The two that wait do so at once.
  const store = withinDeadline("Upstash", LOOK_MS, () => lookAtStore(read, environment));
  const origin = withinDeadline("origin", LOOK_MS, () => lookAtOrigin(read, options.path));
  print(lookAtValues(read));
  print(lookAtSecrets(read, environment));
  print(await store);
  print(await origin);
  console.log();
  try {
    const rules = aclRules({
      prefixes: prefixesOf(read.values),
      commands: listed(options.commands),
      keys: listed(options.keys),
    });
    console.log(
      "The least that the store's token must be allowed (in the CLI of the database's page, where the plan has ACL):",
    );
    for (const line of aclLines(rules)) console.log(`  ${redact(line)}`);
    console.log("The first prints THE_TOKEN, which is UPSTASH_REDIS_REST_TOKEN from then on.");
    if (options.commands.length > 0 && options.keys.length === 0)
      console.log(
        "The handlers' keys are not among these: name them with --keys, such as --keys 'orders:*'.",
      );
  } catch (error) {
    if (!(error instanceof AclError)) throw error;
    print([wrong(error.message)]);
  }
  console.log();
  console.log(bad === 0 ? "All is well." : `${bad} ${bad === 1 ? "thing is" : "things are"} wrong.`);
  return bad === 0 ? 0 : 1;
}

async function settingsOf(file: string, environment: string | undefined): Promise<Settings | string> {
  const { readSettings, SettingsError } = await import("./settings.ts");
  try {
    return readSettings({ file, environment, env: process.env });
  } catch (error) {
    if (error instanceof SettingsError) return error.message;
    throw error;
  }
}

function lookAtValues({ values, sources, issues, notes }: Settings): Finding[] {
  const addresses = (["ORIGIN_URL", "UPSTASH_REDIS_REST_URL"] as const).flatMap((name) =>
    values[name] === null ? [] : [note(`${name} is ${values[name].origin} (${sources.get(name)})`)],
  );
  return [
    ...addresses,
    ...issues.map(({ place, found, fix }) => wrong(`${place}: found ${found}.`, fix)),
    ...notes.map(note),
  ];
}

// A name that is being resolved keeps a program alive for as long as the system likes.
process.exit(await main());
