import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { type Unstable_Config, unstable_readConfig } from "wrangler";
import { explainWranglerError } from "../check/wrangler-file.ts";
import { newestSecret } from "../newest-secret.ts";
import { isPortTaken } from "../ports.ts";
import type { Announcement } from "./announce.ts";
import { awaitAnswer } from "./awaited-answer.ts";
import { AwaitedStart } from "./awaited-start.ts";
import { devRegistry } from "./dev-registry.ts";
import { type DevelopmentVars, developmentVars, emptyVars } from "./development-vars.ts";
import { type Edge, startEdge } from "./edge.ts";
import { EdgeState } from "./edge-state.ts";
import type { StartOptions } from "./options.ts";
import { type OwnVars, readOwnVars } from "./own-vars.ts";
import { type Page, startPage } from "./page/server.ts";
import { problemText } from "./problems.ts";
import { checkRoutes } from "./routes-check.ts";
import { RoutesReader } from "./routes-reader.ts";
import type { RouteRow } from "./routes-table.ts";
import {
  keepsState,
  namedOrigin,
  type Origin,
  originWarning,
  type Store,
  sampleOrigin,
  startStore,
  storeText,
} from "./services.ts";
import { type SessionDatabase, sessionDatabase } from "./session-database.ts";
import { areOfSample, type Tour, tour } from "./tour.ts";
import { startTourShell } from "./tour-shell.ts";
import { watchFiles } from "./watch-files.ts";
import { filesBelow, ownFiles } from "./watched-files.ts";
import { WorkerOutput } from "./worker-output.ts";

/** How long the Worker may take to answer its first request. */
const ANSWERS_WITHIN_MS = 10_000;
const ROUTES = "src/routes.ts";

/** Everything of one `npm start`. */
export class Development {
  readonly #options: StartOptions;
  readonly #output: WorkerOutput;
  readonly #state: EdgeState;
  readonly #awaited = new AwaitedStart({ ask: () => this.#reload() });
  readonly #stops: (() => unknown)[] = [];
  /** Made once: a reload keeps sessions and tokens. */
  #made: DevelopmentVars = {};
  #config: Unstable_Config | null = null;
  #own: OwnVars = { file: null, values: {}, warnings: [] };
  #origin: Origin | null = null;
  #sample: Origin | null = null;
  #store: Store | null = null;
  #database: SessionDatabase | null = null;
  #routes: RouteRow[] = [];
  readonly #reader = new RoutesReader(ROUTES);
  /** The files that the routes are made of. */
  #sources: readonly string[] = [ROUTES];
  #change = 0;
  /** Whether wrangler.toml or the variables have changed since the Worker got them. */
  #isReloadDue = false;
  /** Whether the development server looks at the Worker's files, so that a fixed one starts it. */
  #isWatched = true;
  /** Resolves when all runs. */
  readonly #running = Promise.withResolvers<void>();
  #page: Page | null = null;
  #edge: Edge | null = null;
  #url = "";

  constructor(options: StartOptions, say: (text: string) => void) {
    this.#options = options;
    this.#output = new WorkerOutput({
      say,
      verbose: options.verbose,
      onIssue: (message) =>
        this.#state.workerFails(`${message}\ndocs/configuration.md lists every variable.`),
    });
    this.#state = new EdgeState({ say, changed: () => this.#tellPages() });
  }

  /**
   * Starts all of it.
   *
   * @throws Error that says in one message why the edge does not run.
   */
  async start(port: number): Promise<Announcement> {
    this.#url = `http://localhost:${port}`;
    this.#stops.push(() => this.#reader.stop());
    this.#stops.push(() => this.#awaited.stop());
    this.#readFiles();
    // From now on, so that no change of the seconds of the start is missed.
    this.#watch();
    const { env, database: wanted } = this.#options;
    [this.#store, this.#database] = await Promise.all([
      this.#keep(startStore(this.#options, this.#own)),
      sessionDatabase({ wanted, env, config: this.#configured() }),
    ]);
    const store = this.#store;
    this.#made = developmentVars({ store, own: {}, port });
    const origin = await this.#chooseOrigin();
    await this.#warnOf(origin);
    await this.#startEdge(port);
    await this.#startPage(port);
    this.#running.resolve();
    return {
      edge: this.#url,
      page: this.#page?.url ?? null,
      console: this.#consoleUrl(port),
      store: this.#storeText(),
      database: this.#database?.says ?? null,
      origin: `${origin.url}   (${origin.says})`,
      sample: origin.sample,
      sampleRoutes: areOfSample(this.#routes),
      madeToken: this.#own.values.ORIGIN_TOKEN === undefined ? (this.#made.ORIGIN_TOKEN ?? null) : null,
      varsFile: this.#own.file,
      tour: this.#tour(),
    };
  }

  async stop(): Promise<void> {
    for (const stop of this.#stops.splice(0).reverse()) await Promise.resolve(stop()).catch(() => {});
  }

  /** What is to be stopped at the end. */
  async #keep<T extends { stop?(): unknown } | null>(starting: Promise<T>): Promise<T> {
    const started = await starting;
    this.#stops.push(() => started?.stop?.());
    return started;
  }

  #readFiles(): void {
    const { env } = this.#options;
    const config = readConfig(env);
    this.#own = readOwnVars(config, env);
    this.#config = config;
  }

  /** The API that is named, else the sample API, and what is to be known of the files. */
  async #chooseOrigin(): Promise<Origin> {
    const named = namedOrigin(this.#options, this.#own, this.#configured());
    if (!named) this.#sample ??= await this.#keep(sampleOrigin(this.#options));
    const origin = named ?? this.#sample;
    if (!origin) throw new Error("no origin");
    this.#origin = origin;
    for (const warning of [...this.#own.warnings, ...emptyVars(this.#own)]) this.#output.warn(warning);
    return origin;
  }

  async #warnOf(origin: Origin): Promise<void> {
    const warning = await originWarning(origin);
    if (warning !== null) this.#output.warn(warning);
  }

  #configured(): Unstable_Config {
    if (!this.#config) throw new Error("no configuration is read");
    return this.#config;
  }

  /** The variables that the Worker gets in place of those that wrangler would read. */
  #vars(): DevelopmentVars {
    const vars = { ...this.#made, ...this.#own.values, ORIGIN_URL: this.#origin?.url ?? "" };
    if (this.#options.store) return vars;
    return { ...vars, UPSTASH_REDIS_REST_URL: "", UPSTASH_REDIS_REST_TOKEN: "" };
  }

  /** Resolves when the Worker answers for the first time. */
  async #startEdge(port: number): Promise<void> {
    const config = this.#configured();
    const edge = this.#keep(
      startEdge({
        port,
        config: config.configPath ?? "wrangler.toml",
        env: this.#options.env,
        bindings: this.#database?.bindings,
        // Two runs that begin at once in a fresh checkout would make the same database (SQLITE_BUSY).
        persist: this.#database?.persist ?? (keepsState(config) ? undefined : join(tmpdir(), "state")),
        registry: config.services?.length ? devRegistry() : undefined,
        vars: () => this.#vars(),
        onLog: (text, at) => this.#output.logged(text, at),
        onServerLine: (text, at) => this.#output.served(text, at),
        onBuilding: () => this.#awaited.builds(),
        onRunning: () => {
          this.#awaited.ends();
          this.#isWatched = true;
          void awaitAnswer({ state: this.#state, ask: () => this.#answers(port) });
        },
        onProblem: (text, watches) => {
          this.#awaited.ends();
          this.#isWatched &&= watches;
          this.#state.buildFails(text);
        },
      }),
    );
    // An issue that the check finds ends the start before the Worker is built.
    await Promise.all([edge, this.#state.first, this.#checkRoutes()]);
    this.#edge = await edge;
  }

  /** Asks the Worker, so that it reads its configuration. */
  async #answers(port: number): Promise<boolean> {
    const url = `http://127.0.0.1:${port}${this.#path("HEALTH_PATH", "/health")}/live`;
    return (await this.#output.own(url, ANSWERS_WITHIN_MS)) !== null;
  }

  /** Reads the routes and the variables before the Worker does. */
  async #checkRoutes(): Promise<void> {
    const change = ++this.#change;
    const { services = [], d1_databases: databases = [], vars, alias, define } = this.#configured();
    const namesOf = (bindings: readonly { binding: string }[]) => bindings.map(({ binding }) => binding);
    const { issue, rows, files } = await checkRoutes({
      file: ROUTES,
      reader: this.#reader,
      vars: { ...vars, ...this.#vars() },
      bindings: {
        services: namesOf(services),
        databases: [...namesOf(databases), ...Object.keys(this.#database?.bindings ?? {})],
      },
      alias,
      define,
    });
    if (change !== this.#change) return;
    this.#sources = files ?? this.#sources;
    this.#routes = rows ?? this.#routes;
    if (issue !== null) return this.#state.checkFails(issue);
    const reloads = this.#isReloadDue;
    if (this.#state.checkPasses({ reloads }) && this.#edge) this.#awaited.wait();
    this.#isReloadDue = false;
    if (reloads) await this.#reload();
  }

  async #reload(): Promise<void> {
    try {
      await this.#edge?.reload();
    } catch (error) {
      this.#state.filesFail(problemText(error));
    }
  }

  #storeText(): string {
    return storeText(this.#options, this.#own, { store: this.#store, database: this.#database });
  }

  #path(name: "HEALTH_PATH" | "AUTH_BASE_PATH", usual: string): string {
    const value = this.#own.values[name] ?? this.#configured().vars[name];
    return typeof value === "string" && value.startsWith("/") ? value.replace(/\/+$/, "") : usual;
  }

  /** The address of the operators' console; null where the developer's file switches it off. */
  #consoleUrl(port: number): string | null {
    const host = (this.#vars().CONSOLE_HOST ?? "").trim();
    return host === "" ? null : `http://${host}:${port}/edge/console`;
  }

  #tour(): Tour {
    const newest = (name: string) => newestSecret(this.#vars()[name]) ?? "";
    return tour({
      url: this.#url,
      serviceToken: newest("SERVICE_TOKEN"),
      adminToken: newest("ADMIN_TOKEN"),
      sample: this.#origin?.sample ?? false,
      sessions: this.#vars().SESSION_SECRET?.trim() !== "",
      routes: this.#routes,
      healthPath: this.#path("HEALTH_PATH", "/health"),
      authPath: this.#path("AUTH_BASE_PATH", "/auth"),
    });
  }

  async #startPage(edgePort: number): Promise<void> {
    const { page, pagePort } = this.#options;
    if (!page) return;
    const next = edgePort + 1;
    const shell = startTourShell(this.#tour().preamble);
    this.#stops.push(() => shell.stop());
    this.#page = await this.#keep(
      startPage({
        port: pagePort ?? (next < 65_536 && !(await isPortTaken(next)) ? next : 0),
        state: () => this.#pageState(),
        requests: () => this.#output.feed.entries,
        runStop: (index) => shell.run(this.#tour().stops[index]?.shell ?? ":"),
      }),
    );
    this.#output.feed.listen((entry) => this.#page?.send("request", entry));
  }

  #pageState() {
    const origin = this.#origin?.url ?? "";
    const store = this.#storeText().replace(/ {2,}/g, " ");
    return {
      about: { edge: this.#url, origin, store, console: this.#consoleUrl(Number(new URL(this.#url).port)) },
      routes: this.#routes,
      tour: this.#tour().stops.map(({ says, shell }) => ({ says, shell })),
      problem: this.#state.problem,
    };
  }

  #watch(): void {
    const { userConfigPath, configPath, main } = this.#configured();
    const own = ownFiles(userConfigPath ?? configPath ?? "wrangler.toml", this.#options.env);
    const code = dirname(main ?? ROUTES);
    this.#stops.push(
      watchFiles(
        () => [...own, ...this.#sources, ...(this.#isWatched ? [] : filesBelow(code))],
        (changed) => this.#filesChanged(!this.#isWatched || changed.some((each) => own.includes(each))),
        this.#running.promise,
      ),
    );
  }

  /** @param isConfigured Whether wrangler has to be told: of a file that is no source, or of any where it watches none. */
  async #filesChanged(isConfigured: boolean): Promise<void> {
    try {
      this.#isReloadDue ||= isConfigured;
      if (this.#isReloadDue) {
        this.#readFiles();
        const origin = await this.#chooseOrigin();
        this.#state.filesRead();
        // It may take two seconds, for which no other message waits.
        void this.#warnOf(origin);
      }
      await this.#checkRoutes();
    } catch (error) {
      this.#state.filesFail(problemText(error));
    }
  }

  /** Tells every open page how things are. */
  #tellPages(): void {
    const state = this.#pageState();
    for (const name of ["problem", "routes", "tour", "about"] as const) this.#page?.send(name, state[name]);
  }
}

/** @throws Error that says in one message what is wrong with wrangler.toml. */
function readConfig(env: string | undefined): Unstable_Config {
  try {
    return unstable_readConfig({ ...(env && { env }) }, { hideWarnings: true });
  } catch (error) {
    throw new Error(explainWranglerError("wrangler.toml", error, env));
  }
}
