#!/usr/bin/env node
/** `npx envoyou-edge upstash`: what of the package runs on its own. */
const [command, ...rest] = process.argv.slice(2);
if (command === "upstash") {
  process.argv.splice(2, process.argv.length, ...rest);
  await import("../upstash-local/main.ts");
} else {
  const usage = "Usage: envoyou-edge upstash [--port 8079] [--token TOKEN] [--redis auto|required|embedded]";
  if (command === "--help" || command === "-h") console.log(usage);
  else {
    console.error(command === undefined ? usage : `There is no command ${command}.\n\n${usage}`);
    process.exitCode = 2;
  }
}

export {};
