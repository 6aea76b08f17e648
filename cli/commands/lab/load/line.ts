// The connection of a CMP to the endpoint. A late answer is abandoned, and requested again over a new connection, because an unplugged host never
// closes its connections. With a list of hosts, the next one is asked.
import { Agent, fetch as undiciFetch } from 'undici';
import type { GraphEndpoint } from '../../../../clients/typescript/graph-request.ts';

const connectMs = 1_000;
const answerMs = 3_000;

export class LoadLine {
  readonly endpoint: GraphEndpoint;
  readonly #hosts: HostList;
  #agent = newAgent();

  constructor(urls: readonly [string, ...string[]], token: string) {
    this.#hosts = new HostList(urls);
    const [url] = urls;
    this.endpoint = { url, token, fetch: ((_input, init) => this.#fetch(init)) as typeof fetch };
  }

  async close(): Promise<void> {
    await this.#agent.destroy();
  }

  async #fetch(init: RequestInit | undefined): Promise<unknown> {
    const agent = this.#agent;
    const late = AbortSignal.timeout(answerMs);
    const signal = init?.signal === undefined || init.signal === null ? late : AbortSignal.any([init.signal, late]);
    const options = { ...init, signal, dispatcher: agent };
    try {
      return await undiciFetch(this.#hosts.url, options as Parameters<typeof undiciFetch>[1]);
    } catch (error) {
      this.#renew(agent);
      throw error;
    }
  }

  /** Requests under way over the old connections may finish there. */
  #renew(agent: Agent): void {
    if (this.#agent !== agent) return;
    this.#agent = newAgent();
    this.#hosts.next();
    setTimeout(() => void agent.destroy(), answerMs).unref();
  }
}

/** Each host has the whole graph. */
export class HostList {
  readonly #urls: readonly [string, ...string[]];
  #at = 0;

  constructor(urls: readonly [string, ...string[]]) {
    this.#urls = urls;
  }

  get url(): string {
    return this.#urls[this.#at % this.#urls.length] ?? this.#urls[0];
  }

  next(): void {
    this.#at += 1;
  }
}

function newAgent(): Agent {
  return new Agent({ connect: { timeout: connectMs }, connections: 64 });
}
