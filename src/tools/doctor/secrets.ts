import { variables } from "../../config/variables-table.ts";
import { type Finding, note, well, wrong } from "./report.ts";
import { type Settings, secretNames } from "./settings.ts";

/** Which secrets are there, and the command for each that is missing. */
export function lookAtSecrets(settings: Settings, environment: string | undefined): Finding[] {
  const { sources, required, boundOrigin, issues } = settings;
  const flag = environment === undefined ? "" : ` --env ${environment}`;
  const needed = (name: string) =>
    required.includes(name) ||
    (variables[name as keyof typeof variables]?.group === "must set" &&
      // A bound Worker cannot be reached around the edge.
      !(name === "ORIGIN_TOKEN" && boundOrigin !== null));
  const names = [...new Set<string>([...secretNames, ...required])];
  const missing = names.filter((name) => needed(name) && !sources.has(name));
  // An issue says already what is wrong with a secret that is there.
  const amiss = new Set(issues.map(({ place }) => /^\w+/.exec(place)?.[0]));
  const present = names.filter((name) => sources.has(name) && !amiss.has(name));
  const optional = names.filter((name) => !needed(name) && !sources.has(name));
  return [
    ...(present.length > 0 ? [well(`secrets: ${listed(present, sources)}`)] : []),
    ...missing.map((name) =>
      wrong(`secrets: ${name} is missing. ${without(name)}`, `npx wrangler secret put ${name}${flag}`),
    ),
    ...sameSecrets(settings, flag),
    ...(optional.length > 0
      ? [note(`secrets: not set, and only needed where you use them: ${optional.join(", ")}`)]
      : []),
    note(
      "Nobody can read the secrets of a deployed Worker: these are from the places named. " +
        `\`npx wrangler secret list${flag}\` says which are deployed; give their values in the environment.`,
    ),
  ];
}

/** In the order in which their holders may do more: the later of two that are the same is to be another. */
const TOLD_APART = [
  "UPSTASH_REDIS_REST_TOKEN",
  "ADMIN_TOKEN",
  "SESSION_SECRET",
  "IDENTITY_SECRET",
  "JWT_SECRET",
  "SERVICE_TOKEN",
  "ORIGIN_TOKEN",
] as const;

/** One text under two names: who was given it for the one may do what the other allows. The Worker says so of METRICS_TOKEN. */
function sameSecrets({ values }: Settings, flag: string): Finding[] {
  const holders = new Map<string, string>();
  return TOLD_APART.flatMap((name) =>
    [values[name] ?? []].flat().flatMap((text) => {
      const first = holders.get(text);
      holders.set(text, first ?? name);
      return first === undefined || first === name
        ? []
        : [
            wrong(
              `secrets: ${name} is the same as ${first}: whoever was given it for the one may do what the other allows.`,
              `npx wrangler secret put ${name}${flag}, with one of its own (openssl rand -base64 32)`,
            ),
          ];
    }),
  );
}

function listed(names: readonly string[], sources: ReadonlyMap<string, string>): string {
  const bySource = Map.groupBy(names, (name) => sources.get(name) ?? "");
  return [...bySource].map(([source, some]) => `${some.join(", ")} (${source})`).join("; ");
}

function without(name: string): string {
  const description = variables[name as keyof typeof variables]?.description ?? "";
  return description === "" ? "" : description.replace(/`/g, "");
}
