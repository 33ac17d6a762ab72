import { notUnderstood, onlyOptions } from "../../src/tools/only-options.ts";

/**
 * `npm run bench`: the comparison, written to RESULTS.md; `-- full --only PART,PART`: these parts of it; `-- --quick`: its
 * counts alone; `-- --against REVISION`: this Worker beside that of another git revision. `npm run bench -- NAME`: one of the
 * measurements in this folder.
 */
const benches: Record<string, () => Promise<unknown>> = {
  limits: () => import("./limits.ts"),
  sessions: () => import("./sessions.ts"),
  cache: () => import("./cache.ts"),
  distance: () => import("./distance.ts"),
  growth: () => import("./growth.ts"),
  profile: () => import("./profile.ts"),
  glue: () => import("./glue.ts"),
};
const usage = `Usage: npm run bench [-- full --only PART,PART | --quick | --against REVISION | ${Object.keys(benches).join(" | ")}]`;
const {
  positionals,
  values: { only, quick, against },
} = onlyOptions(
  usage,
  { only: { type: "string" }, quick: { type: "boolean" }, against: { type: "string" } },
  true,
);
const [name, ...more] = positionals;
const bench = benches[name ?? ""];
const chosen = [name !== undefined, quick, against !== undefined].filter(Boolean).length;
if (more.length > 0 || chosen > 1 || against === "" || (only !== undefined && name !== "full"))
  notUnderstood(usage, `Not understood: ${process.argv.slice(2).join(" ")}`);
if (bench) await bench();
else if (quick) process.exitCode = (await (await import("./compare/quick.ts")).quick()) ? 0 : 1;
else if (against) process.exitCode = (await (await import("./compare/against.ts")).against(against)) ? 0 : 1;
else if (name === undefined || name === "full")
  await (await import("./compare/full.ts")).full(only?.split(","));
else notUnderstood(usage, `There is no measurement ${name}.`);
