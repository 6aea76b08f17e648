// The line of a CMP to the endpoint: an answer that does not come in time is given up, and asked for again over a new connection. A host that was
// unplugged never says that its connections are dead.
import { Agent, fetch as undiciFetch } from 'undici';
import type { GraphEndpoint } from '../../../../clients/typescript/graph-request.ts';

const connectMs = 1_000;
const answerMs = 3_000;

export class LoadLine {
  readonly endpoint: GraphEndpoint;
  #agent = newAgent();

  constructor(url: string, token: string) {
    this.endpoint = { url, token, fetch: ((input, init) => this.#fetch(input, init)) as typeof fetch };
  }

  async close(): Promise<void> {
    await this.#agent.destroy();
  }

  async #fetch(input: unknown, init: RequestInit | undefined): Promise<unknown> {
    const agent = this.#agent;
    const late = AbortSignal.timeout(answerMs);
    const signal = init?.signal === undefined || init.signal === null ? late : AbortSignal.any([init.signal, late]);
    const options = { ...init, signal, dispatcher: agent };
    try {
      return await undiciFetch(input as string, options as Parameters<typeof undiciFetch>[1]);
    } catch (error) {
      this.#renew(agent);
      throw error;
    }
  }

  /** What is under way over the old connections may end there. */
  #renew(agent: Agent): void {
    if (this.#agent !== agent) return;
    this.#agent = newAgent();
    setTimeout(() => void agent.destroy(), answerMs).unref();
  }
}

function newAgent(): Agent {
  return new Agent({ connect: { timeout: connectMs }, connections: 64 });
}
