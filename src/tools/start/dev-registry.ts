import { statSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";

export interface Machine {
  env: Readonly<Record<string, string | undefined>>;
  platform: string;
  home: string;
  isFolder(path: string): boolean;
}

const thisMachine = (): Machine => ({
  env: process.env,
  platform: process.platform,
  home: homedir(),
  isFolder: (path) => statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false,
});

/**
 * The folder in which the Workers that run under `wrangler dev` on this machine find each other, so that a service binding reaches
 * one of another terminal. wrangler (4.156) computes it for `wrangler dev` alone, and hands it to nobody.
 *
 * @example devRegistry() // "/home/ada/.config/.wrangler/registry"
 */
export function devRegistry({ env, platform, home, isFolder }: Machine = thisMachine()): string {
  if (env.WRANGLER_REGISTRY_PATH) return env.WRANGLER_REGISTRY_PATH;
  const old = join(home, ".wrangler");
  if (isFolder(old)) return join(old, "registry");
  return join(env.XDG_CONFIG_HOME || usualConfig({ env, platform, home }), ".wrangler", "registry");
}

function usualConfig({ env, platform, home }: Omit<Machine, "isFolder">): string {
  if (platform === "darwin") return join(home, "Library", "Preferences");
  if (platform === "win32") return join(env.APPDATA || join(home, "AppData", "Roaming"), "xdg.config");
  return join(home, ".config");
}
