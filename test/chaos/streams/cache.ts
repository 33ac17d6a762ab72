import { type CapabilityName, mark, type Phase } from "../cells.ts";
import { answerTo } from "../origin.ts";
import { ask, type Stream, type StreamOptions } from "./stream.ts";

const HOT = 6;

/** Requests for shared entries, cached or not, and for entries of one caller. */
export class CacheStream implements Stream {
  readonly capability: CapabilityName = "cache";
  readonly #options: StreamOptions;
  #cold = 0;

  constructor(options: StreamOptions) {
    this.#options = options;
  }

  async prepare(): Promise<void> {}

  requests(phase: Phase): (() => Promise<void>)[] {
    const { dice, requests } = this.#options;
    return Array.from({ length: requests[phase] }, () => async () => {
      const what = dice.roll();
      if (what < 0.3) return this.#own(phase);
      if (what < 0.6) return this.#shared(`cold${this.#nextCold()}`, phase);
      return this.#shared(`hot${dice.upTo(HOT)}`, phase);
    });
  }

  async finish(): Promise<void> {
    for (let index = 0; index < HOT; index += 1) await this.#shared(`hot${index}`, "after");
    for (let index = 1; index <= this.#cold; index += 4) await this.#shared(`cold${index}`, "after");
  }

  #nextCold(): number {
    this.#cold += 1;
    return this.#cold;
  }

  async #shared(name: string, phase: Phase): Promise<void> {
    const { world, cells, run } = this.#options;
    const url = `/cached/${name}?run=${run}`;
    const { status, body } = await ask(world, cells.cache[phase], url);
    if (status === 200 && body !== answerTo({ method: "GET", url }))
      mark(cells.cache[phase], "wrong", `${name} had another body`);
  }

  async #own(phase: Phase): Promise<void> {
    const { world, cells, run, dice } = this.#options;
    const url = `/mine/page${dice.upTo(3)}?run=${run}`;
    const key = dice.pick(world.secrets.apiKeys);
    const { status, body } = await ask(world, cells.cache[phase], url, { headers: { "x-api-key": key } });
    if (status === 200 && body !== answerTo({ method: "GET", url, key }))
      mark(cells.cache[phase], "wrong", "a caller was given another caller's body");
  }
}
