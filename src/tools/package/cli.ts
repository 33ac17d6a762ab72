#!/usr/bin/env node
/** `npx envoyou-edge upstash`: what of the package runs on its own. */
const [command, ...rest] = process.argv.slice(2);
if (command === "upstash") {
  process.argv.splice(2, process.argv.length, ...rest);
  await import("../upstash-local/main.ts");
} else {
  console.error("envoyou-edge upstash [--port 8079] [--token TOKEN] [--redis auto|required|embedded]");
  process.exitCode = 1;
}

export {};
