import { execFile } from "node:child_process";
import { mkdir, mkdtemp, rm, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import { packInto } from "../support/pack.ts";

const exec = promisify(execFile);

/** What an app has beside the package. */
const INSTALLED = [
  "hono",
  "zod",
  "jose",
  "structured-headers",
  "@upstash/redis",
  "@upstash/ratelimit",
  "@upstash/core-analytics",
  "uncrypto",
  "js-redis-server",
  "@types/node",
  "undici-types",
];

/** The package as npm packs it, installed in a folder of its own. */
export interface Packed {
  folder: string;
  tarball: string;
  remove(): Promise<void>;
}

/** Packs the package, and unpacks it beside what an app has. */
export async function packed(): Promise<Packed> {
  const folder = await mkdtemp(join(tmpdir(), "envoyou-edge-package-"));
  const tarball = await packInto(folder);
  await exec("tar", ["xzf", tarball, "-C", folder]);
  await mkdir(join(folder, "node_modules", "@upstash"), { recursive: true });
  await mkdir(join(folder, "node_modules", "@types"));
  await symlink(join(folder, "package"), join(folder, "node_modules", "envoyou-edge"));
  for (const name of INSTALLED)
    await symlink(resolve("node_modules", name), join(folder, "node_modules", name));
  await symlink(join(folder, "node_modules"), join(folder, "package", "node_modules"));
  return { folder, tarball, remove: () => rm(folder, { recursive: true, force: true }) };
}
