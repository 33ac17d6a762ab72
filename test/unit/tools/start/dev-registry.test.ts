import { expect, it } from "vitest";
import { devRegistry, type Machine } from "../../../../src/tools/start/dev-registry.ts";

const linux: Machine = { env: {}, platform: "linux", home: "/home/ada", isFolder: () => false };

it.each<[string, Partial<Machine>, string]>([
  ["Linux", {}, "/home/ada/.config/.wrangler/registry"],
  ["macOS", { platform: "darwin" }, "/home/ada/Library/Preferences/.wrangler/registry"],
  ["Windows", { platform: "win32" }, "/home/ada/AppData/Roaming/xdg.config/.wrangler/registry"],
  ["Windows, moved", { platform: "win32", env: { APPDATA: "/d" } }, "/d/xdg.config/.wrangler/registry"],
  ["another folder of settings", { env: { XDG_CONFIG_HOME: "/x" } }, "/x/.wrangler/registry"],
  ["an empty name of one", { env: { XDG_CONFIG_HOME: "" } }, "/home/ada/.config/.wrangler/registry"],
  [
    "wrangler's old folder, which wins",
    { env: { XDG_CONFIG_HOME: "/x" }, isFolder: (path) => path === "/home/ada/.wrangler" },
    "/home/ada/.wrangler/registry",
  ],
  ["wrangler's own variable", { env: { WRANGLER_REGISTRY_PATH: "/r" }, isFolder: () => true }, "/r"],
])("%s", (_, more, folder) => {
  expect(devRegistry({ ...linux, ...more })).toBe(folder);
});
