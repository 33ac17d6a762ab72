import { createRequire } from "node:module";
import { relative, resolve } from "node:path";
import { problemText } from "./problems.ts";
import type { RoutesReader } from "./routes-reader.ts";
import type { RouteRow } from "./routes-table.ts";

/** What is known of the routes and the variables before the Worker has them. */
export interface RoutesCheck {
  /** Null: nothing is wrong, as far as can be known without the Worker. */
  issue: string | null;
  /** Every route; null where they cannot be read. */
  rows: RouteRow[] | null;
  /** The files that were read; null where they are not known. */
  files: string[] | null;
}

export interface RoutesCheckOptions {
  /** The file of the routes: `src/routes.ts`. */
  file: string;
  reader: RoutesReader;
  /** The Worker's variables, `ROUTES` among them. */
  vars: Readonly<Record<string, unknown>>;
  /** The names of bindings, which only the Worker has. */
  bindings: { services: string[]; databases: string[] };
  /** `alias` and `define` of wrangler.toml. */
  alias?: Record<string, string> | undefined;
  define?: Record<string, string> | undefined;
  /** How long the code of the routes may take to load. Default 10 000 ms. */
  withinMs?: number;
}

/** As much of esbuild as is used here. */
interface Esbuild {
  build(options: object): Promise<{
    outputFiles: { text: string }[];
    metafile: { inputs: Record<string, unknown>; outputs: Record<string, { imports: { path: string }[] }> };
  }>;
}

/** wrangler's own, which builds the Worker: what it says of a file is said in the same words. */
const esbuild = createRequire(createRequire(import.meta.url).resolve("wrangler/package.json"))(
  "esbuild",
) as Esbuild;

/** How esbuild calls a text that is no file. */
const ENTRY = "<stdin>";
/** Modules of another kind, as wrangler imports them. */
const LOADERS = { ".txt": "text", ".html": "text", ".sql": "text", ".bin": "binary", ".wasm": "binary" };
/** Dependencies of the routes that call `require` find Node's. */
const BANNER = 'import { createRequire } from "node:module"; const require = createRequire("file:///");';
/** What workerd has and Node has not: code that asks for one may be right. */
const ONLY_IN_WORKERD =
  /\b(caches|HTMLRewriter|WebSocketPair|FixedLengthStream|IdentityTransformStream|addEventListener|scheduler|WorkerEntrypoint|DurableObject)\b/;

/**
 * Reads the routes and the variables with the Worker's own code, in Node, where the Worker takes seconds to be built, started and
 * asked. Where only the Worker can tell, nothing is said.
 */
export async function checkRoutes(options: RoutesCheckOptions): Promise<RoutesCheck> {
  const built = await build(options);
  if ("issue" in built) return { issue: built.issue, rows: null, files: null };
  const { code, files, needsWorkerd } = built;
  if (needsWorkerd) return { issue: null, rows: null, files };
  const input = { code, vars: options.vars, ...options.bindings };
  const reading = await options.reader.read(input, options.withinMs ?? 10_000);
  if (reading === null) return { issue: null, rows: null, files };
  if ("rows" in reading) return { issue: null, rows: reading.rows, files };
  if ("config" in reading)
    return { issue: `${reading.config}\ndocs/configuration.md lists every variable.`, rows: null, files };
  const isCertain = !ONLY_IN_WORKERD.test(reading.thrown);
  return { issue: isCertain ? `The Worker cannot be loaded: ${reading.thrown}` : null, rows: null, files };
}

type Built = { issue: string | null } | { code: string; files: string[]; needsWorkerd: boolean };

/** The routes and all that they import, as one text. */
async function build({ file, alias, define }: RoutesCheckOptions): Promise<Built> {
  const path = relative(process.cwd(), resolve(file));
  try {
    const { outputFiles, metafile } = await esbuild.build({
      stdin: {
        contents: `export { default } from ${JSON.stringify(`./${path}`)};`,
        resolveDir: process.cwd(),
      },
      bundle: true,
      write: false,
      metafile: true,
      format: "esm",
      platform: "node",
      conditions: ["workerd", "worker", "browser"],
      external: ["cloudflare:*", "workerd:*"],
      loader: LOADERS,
      banner: { js: BANNER },
      logLevel: "silent",
      ...(alias && { alias }),
      ...(define && { define }),
    });
    const imported = Object.values(metafile.outputs).flatMap(({ imports }) => imports);
    return {
      code: outputFiles[0]?.text ?? "",
      files: Object.keys(metafile.inputs).filter((each) => each !== ENTRY && !/node_modules/.test(each)),
      needsWorkerd: imported.some((each) => /^(cloudflare|workerd):/.test(each.path)),
    };
  } catch (error) {
    return { issue: issueIn(error) };
  }
}

/** Null where esbuild names no place, or one in a package: wrangler may build a package in another way. */
function issueIn(error: unknown): string | null {
  const { errors = [] } = error as { errors?: { text: string; location?: { file?: string } | null }[] };
  if (errors.length === 0) return null;
  if (!errors.every(({ location }) => location?.file && !/node_modules/.test(location.file))) return null;
  // The line that asks for the list is no file of anybody's.
  return problemText({
    errors: errors.map((each) => (each.location?.file === ENTRY ? { text: each.text } : each)),
  });
}
