import { type CapabilityName, mark, type Phase } from "../cells.ts";
import { answerTo } from "../origin.ts";
import { ask, type Stream, type StreamOptions } from "./stream.ts";

/** Requests without rules: each must reach the origin once, complete. */
export class GatewayStream implements Stream {
  readonly capability: CapabilityName = "gateway";
  readonly #options: StreamOptions;
  readonly #ids: { id: string; phase: Phase; answered: boolean }[] = [];

  constructor(options: StreamOptions) {
    this.#options = options;
  }

  async prepare(): Promise<void> {}

  requests(phase: Phase): (() => Promise<void>)[] {
    return Array.from({ length: this.#options.requests[phase] }, () => () => this.post(phase));
  }

  /** One request. It also gives the edge an occasion to probe the store. */
  async post(phase: Phase): Promise<void> {
    const { world, cells, run, dice } = this.#options;
    const id = `${run}-${this.#ids.length}`;
    const posted = { id, phase, answered: false };
    this.#ids.push(posted);
    const url = `/plain/${id}`;
    const sent = "x".repeat(dice.upTo(4096)) + id;
    const { status, body } = await ask(world, cells.gateway[phase], url, {
      method: "POST",
      headers: { "x-chaos-id": id, "content-type": "text/plain" },
      body: sent,
    });
    posted.answered = status === 200;
    if (status === 200 && body !== answerTo({ method: "POST", url, body: sent }))
      mark(cells.gateway[phase], "wrong", "another body than the origin's");
  }

  async finish(): Promise<void> {
    const { world, cells } = this.#options;
    for (const { id, phase, answered } of this.#ids) {
      const arrivals = world.origin.arrivals(id);
      mark(cells.gateway[phase], "double", "forwarded more than once", arrivals - 1);
      if (answered && arrivals === 0) mark(cells.gateway[phase], "wrong", "answered without the origin");
    }
  }
}
