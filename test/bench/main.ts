/** `npm run bench -- NAME`: one of the measurements in this folder. */
const benches: Record<string, () => Promise<unknown>> = {
  limits: () => import("./limits.ts"),
  sessions: () => import("./sessions.ts"),
  cache: () => import("./cache.ts"),
};
const [name = ""] = process.argv.slice(2);
const bench = benches[name];
if (bench) await bench();
else {
  console.error(`Usage: npm run bench -- ${Object.keys(benches).join(" | ")}`);
  process.exitCode = 2;
}

export {};
