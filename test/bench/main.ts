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
const [name = "full", revision, parts] = process.argv.slice(2);
const bench = benches[name];
if (bench) await bench();
else if (name === "full" && (revision === undefined || (revision === "--only" && parts)))
  await (await import("./compare/full.ts")).full(parts?.split(","));
else if (name === "--quick") {
  const { quick } = await import("./compare/quick.ts");
  process.exitCode = (await quick()) ? 0 : 1;
} else if (name === "--against" && revision) {
  const { against } = await import("./compare/against.ts");
  process.exitCode = (await against(revision)) ? 0 : 1;
} else {
  console.error(
    `Usage: npm run bench [-- full --only PART,PART | --quick | --against REVISION | ${Object.keys(benches).join(" | ")}]`,
  );
  process.exitCode = 2;
}

export {};
