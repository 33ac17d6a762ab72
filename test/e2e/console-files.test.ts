import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";

const FOLDER = "public/edge/console";
const read = (file: string) => readFileSync(join(FOLDER, file), "utf8");
const modules = readdirSync(FOLDER).filter((file) => file.endsWith(".js"));
const page = read("index.html");
const sources = modules.map(read).join("\n");

describe("the console's copy of uPlot", () => {
  it.each([
    ["uPlot.iife.min.js", "dist/uPlot.iife.min.js"],
    ["uPlot.min.css", "dist/uPlot.min.css"],
    ["LICENSE", "LICENSE"],
  ])("%s is the one of the npm package", (own, theirs) => {
    expect(readFileSync(join(FOLDER, "uplot", own))).toEqual(
      readFileSync(join("node_modules/uplot", theirs)),
    );
  });

  it("has no other file", () => {
    expect(readdirSync(join(FOLDER, "uplot")).sort()).toEqual([
      "LICENSE",
      "uPlot.iife.min.js",
      "uPlot.min.css",
    ]);
  });
});

describe("the console's page", () => {
  it("loads what is there, from its own folder alone", () => {
    const loaded = [...page.matchAll(/\b(?:src|href)="([^"#][^"]*)"/g)].map(([, address = ""]) => address);
    expect(loaded.length).toBeGreaterThan(5);
    for (const address of loaded) {
      expect(address).toMatch(/^\/edge\/console\//);
      expect(() => readFileSync(join("public", address))).not.toThrow();
    }
  });

  it("has no script and no style of its own in it, as the policy demands", () => {
    expect(page).not.toMatch(/<style|\sstyle=|\son[a-z]+=/);
    expect(page).not.toMatch(/<script(?![^>]*\ssrc=)/);
  });

  it("has each id once, and each that a module or a label names", () => {
    const ids = [...page.matchAll(/\sid="([^"]+)"/g)].map(([, id = ""]) => id);
    expect(ids.filter((id, index) => ids.indexOf(id) !== index)).toEqual([]);
    const named = [
      ...[...sources.matchAll(/\bat\("([^"]+)"\)/g)].map(([, id = ""]) => id),
      ...[...page.matchAll(/\s(?:for|aria-labelledby|aria-describedby|list)="([^"]+)"/g)].map(
        ([, id = ""]) => id,
      ),
    ];
    expect(named.length).toBeGreaterThan(60);
    expect([...new Set(named)].filter((id) => !ids.includes(id))).toEqual([]);
  });
});

describe("the console's modules", () => {
  it("write no markup, and keep nothing that outlives the page", () => {
    expect(sources).not.toMatch(/innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(|new Function/);
    expect(sources).not.toMatch(/localStorage|sessionStorage|indexedDB|\.cookie|caches\.|serviceWorker/);
  });

  it("import only each other", () => {
    const imported = [...sources.matchAll(/(?:from|import) "([^"]+)"/g)].map(([, name = ""]) => name);
    expect(imported.length).toBeGreaterThan(20);
    expect([...new Set(imported)].filter((name) => !modules.includes(name.replace("./", "")))).toEqual([]);
  });
});
