import type { DatabaseWorld, Isolate } from "./world.ts";

/** A session at its client. */
export interface Client {
  user: string;
  token: string;
  made: "before" | "during";
  /** The answer said that the session is kept: its token does not carry it. */
  kept: boolean;
  /** The database had its record, and its end, when the isolate was killed that knew of them. */
  told: { session: boolean; end: boolean };
  /** Its user's name in the database; null where that has no record of it. */
  name: string | null;
  /** The status with which its end was answered, and when that was asked and answered; null: nobody has ended it. */
  ended: { status: number; from: number; to: number } | null;
}

/** A client's request that was answered in a way nobody expected. */
export interface Sighting {
  client: Client;
  at: Isolate;
  /** When it was asked and answered. */
  from: number;
  to: number;
}

/** D1 answers one call after the other. */
const AT_ONCE = 8;

/** The requests that clients and a server make. Each client has an address of its own. */
export class Clients {
  readonly #world: DatabaseWorld;
  /** Statuses of 500 and more, and broken connections, by what was asked. */
  readonly errors = new Map<string, number>();
  #addresses = 0;
  #users = 0;

  constructor(world: DatabaseWorld) {
    this.#world = world;
  }

  /** Signs in users at the isolates by turns. */
  async make(made: Client["made"], count: number): Promise<Client[]> {
    const { isolates, serviceToken } = this.#world;
    const clients = await inTurns(count, async (index): Promise<Client | null> => {
      this.#users += 1;
      const user = `${made}-${this.#users}`;
      const { status, body } = await this.#ask(isolates[index % 2 === 0 ? 0 : 1], "POST", "/auth/sessions", {
        token: serviceToken,
        json: { user_id: user, user_data: { number: index } },
      });
      if (status !== 201) return null;
      const { token } = JSON.parse(body) as { token: string };
      return {
        user,
        token,
        made,
        kept: !carriesItsData(token),
        told: { session: false, end: false },
        name: null,
        ended: null,
      };
    });
    return clients.filter((client) => client !== null);
  }

  /** Ends sessions at one isolate: most by their client, some by a server that names the session or its user. */
  async end(clients: readonly Client[], at: Isolate): Promise<void> {
    const { serviceToken } = this.#world;
    await inTurns(clients.length, async (index) => {
      const client = clients[index] as Client;
      const how = index % 10;
      const [token, path] =
        how === 0
          ? [serviceToken, `/auth/sessions/users/${client.user}`]
          : how === 1
            ? [serviceToken, `/auth/sessions/redis/${idOf(client.token)}`]
            : [client.token, "/auth/sessions/current"];
      const from = Date.now();
      const { status } = await this.#ask(at, "DELETE", path, { token });
      client.ended = { status, from, to: Date.now() };
    });
  }

  /** Each client makes a request. @returns those requests for which `unexpected` is true of the answer's status. */
  async visit(
    clients: readonly Client[],
    at: (index: number) => Isolate,
    unexpected: (status: number) => boolean,
  ): Promise<Sighting[]> {
    const found = await inTurns(clients.length, async (index): Promise<Sighting | null> => {
      const client = clients[index] as Client;
      const isolate = at(index);
      const from = Date.now();
      const { status, headers } = await this.#ask(isolate, "GET", "/user/profile", { token: client.token });
      if (status === 200) client.token = headers.get("x-session-token") ?? client.token;
      return unexpected(status) ? { client, at: isolate, from, to: Date.now() } : null;
    });
    return found.filter((sighting) => sighting !== null);
  }

  /** How many sessions each of these users has, as one isolate lists them. */
  async listed(clients: readonly Client[], at: Isolate): Promise<number[]> {
    const { serviceToken: token } = this.#world;
    return inTurns(clients.length, async (index) => {
      const { status, body } = await this.#ask(at, "GET", `/auth/sessions/users/${clients[index]?.user}`, {
        token,
      });
      return status === 200 ? (JSON.parse(body) as { sessions: unknown[] }).sessions.length : 0;
    });
  }

  /** What `/health` says of where sessions are. */
  async storage(at: Isolate): Promise<string> {
    const { body } = await this.#ask(at, "GET", "/health", {});
    return (JSON.parse(body) as { services: { session_storage: string } }).services.session_storage;
  }

  /** Whether `/health` says that the database answers. */
  async databaseAnswers(at: Isolate): Promise<boolean> {
    const { body } = await this.#ask(at, "GET", "/health", {});
    const { system } = JSON.parse(body) as { system: { database?: { available: boolean } } };
    return system.database?.available ?? false;
  }

  async #ask(
    { edge }: Isolate,
    method: string,
    path: string,
    { token, json }: { token?: string; json?: unknown },
  ) {
    this.#addresses += 1;
    const address = `10.${(this.#addresses >> 16) & 255}.${(this.#addresses >> 8) & 255}.${this.#addresses & 255}`;
    const headers = {
      ...(token !== undefined && { authorization: `Bearer ${token}` }),
      ...(json !== undefined && { "content-type": "application/json" }),
    };
    const body = json === undefined ? {} : { body: JSON.stringify(json) };
    const reply = await edge.fetch(path, { method, headers, address, ...body }).then(
      async (response) => ({
        status: response.status,
        headers: response.headers,
        body: await response.text(),
      }),
      () => ({ status: 599, headers: new Headers(), body: "{}" }),
    );
    if (reply.status >= 500)
      this.#count(`${method} ${path.replace(/(users|redis)\/.*/, "$1")} ${reply.status}`);
    return reply;
  }

  #count(what: string): void {
    this.errors.set(what, (this.errors.get(what) ?? 0) + 1);
  }
}

/** Runs `work` for each number below `count`, {@link AT_ONCE} at a time, and returns the results in order. */
async function inTurns<Result>(count: number, work: (index: number) => Promise<Result>): Promise<Result[]> {
  const results: Result[] = [];
  let next = 0;
  const one = async () => {
    while (next < count) {
      const index = next;
      next += 1;
      results[index] = await work(index);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, one));
  return results;
}

/** A part before the signature has what nothing else holds. */
function carriesItsData(token: string): boolean {
  return token.split(".").length > 3;
}

export function idOf(token: string): string {
  const payload = Buffer.from(token.split(".")[1] ?? "", "base64url").toString();
  return (JSON.parse(payload) as { i: string }).i;
}
