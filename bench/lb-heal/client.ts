// A client that resolves a name at a DNS server, caches the addresses for their TTL, and tries the next one when one does not answer. Each
// request is a new connection.
import type { RecordWithTtl } from 'node:dns';
import { Resolver } from 'node:dns/promises';
import { get } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';

interface ClientOptions {
  readonly port: number;
  /** Resolves the name. Empty if the server does not answer. */
  readonly addresses: () => Promise<readonly RecordWithTtl[]>;
}

interface Patience {
  /** After this time without an answer, the next address is tried in parallel (as in RFC 8305, section 5, for connections). */
  readonly nextAfterMs: number;
  /** The time limit of the whole request. */
  readonly wholeMs: number;
}

const everyMs = 20;
const usualPatience: Patience = { nextAfterMs: 1_000, wholeMs: 10_000 };

export class NextAddressClient {
  requests = 0;
  /** Requests that no address of the name answered, with the reasons. */
  readonly failures: string[] = [];
  /** Answers that came after another address had been tried. */
  second = 0;
  readonly #options: ClientOptions;
  readonly #ending = new AbortController();
  readonly #running = new Set<Promise<void>>();
  #addresses: readonly string[] = [];
  #askAgainMs = 0;
  #done: Promise<void> | undefined;

  constructor(options: ClientOptions) {
    this.#options = options;
  }

  /** Resolves when it has the addresses for its first request. */
  async start(): Promise<void> {
    while (this.#addresses.length === 0 && !this.#ending.signal.aborted) {
      await this.#ask();
      await sleep(everyMs);
    }
    this.#done = this.#run();
  }

  async stop(): Promise<void> {
    this.#ending.abort();
    await this.#done;
    await Promise.all(this.#running);
  }

  async #run(): Promise<void> {
    const { signal } = this.#ending;
    while (!signal.aborted) {
      const request = this.#request().finally(() => this.#running.delete(request));
      this.#running.add(request);
      await sleep(everyMs, undefined, { signal }).catch(() => undefined);
    }
  }

  async #request(): Promise<void> {
    await this.#ask();
    this.requests += 1;
    const at = this.requests;
    const addresses = this.#addresses.map((_, index, all) => all[(at + index) % all.length] ?? '');
    const answered = await firstAnswer(addresses, this.#options.port, usualPatience);
    if (typeof answered === 'string') this.failures.push(answered);
    else if (answered > 0) this.second += 1;
  }

  /** If the server does not answer, the last addresses are kept. */
  async #ask(): Promise<void> {
    if (performance.now() < this.#askAgainMs) return;
    this.#askAgainMs = performance.now() + 1_000;
    const records = await this.#options.addresses();
    if (records.length === 0) return;
    this.#addresses = records.map(({ address }) => address);
    this.#askAgainMs = performance.now() + Math.min(...records.map(({ ttl }) => ttl)) * 1_000;
  }
}

export function resolverAt(server: string): Resolver {
  const resolver = new Resolver({ timeout: 1_000, tries: 2 });
  resolver.setServers([server]);
  return resolver;
}

/** Empty if the server does not answer. */
export function addressesOf(resolver: Resolver, name: string): Promise<readonly RecordWithTtl[]> {
  return resolver.resolve4(name, { ttl: true }).catch(() => []);
}

/** The index of the address that first answered with 200, otherwise the failure of each address. */
export async function firstAnswer(
  addresses: readonly string[],
  port: number,
  { nextAfterMs, wholeMs }: Patience,
): Promise<number | string> {
  if (addresses.length === 0) return 'no address is known';
  const ending = new AbortController();
  const signal = AbortSignal.any([ending.signal, AbortSignal.timeout(wholeMs)]);
  const attempts: Promise<number>[] = [];
  try {
    for (const [index, host] of addresses.entries()) {
      attempts.push(answer(host, port, signal).then(() => index));
      const pause = sleep(nextAfterMs, undefined, { signal }).catch(() => undefined);
      const answered = await Promise.race([Promise.any(attempts).catch(() => undefined), pause]);
      if (answered !== undefined) return answered;
    }
    return await Promise.any(attempts);
  } catch (error) {
    return error instanceof AggregateError ? error.errors.map(({ message }) => message).join('; ') : String(error);
  } finally {
    ending.abort();
  }
}

/** Resolves at the end of an answer with status 200. */
function answer(host: string, port: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const fail = (reason: string) => reject(new Error(`${host}: ${reason}`));
    const request = get({ host, port, agent: false, signal }, (response) => {
      const { statusCode } = response;
      response.resume().once('end', () => (statusCode === 200 ? resolve() : fail(`status ${statusCode}`)));
      response.once('error', ({ message }) => fail(message));
    });
    request.once('error', ({ message }) => fail(signal.aborted ? 'no answer in time' : message));
  });
}
