// How a server asks the controllers or the resolvers of its cluster: they tell in the cluster's database where they are, and one after the other is
// tried.
import type { z } from 'zod';
import type { MutualTls } from '../../../platform/graph/tls.ts';
import { ServicePool, type ServiceRequest } from '../controller/service-pool.ts';
import type { ServiceStore } from '../store/service-store.ts';

export interface ServiceClientOptions {
  readonly services: Pick<ServiceStore, 'urlsOf'>;
  /** Of whom it asks. */
  readonly role: string;
  readonly tls: MutualTls;
  /** Whether a machine of this name is of this cluster. */
  readonly isOwn: (machine: { readonly name: string }) => boolean;
}

/** No service of the role has answered. */
export class NoServiceError extends Error {
  override readonly name = 'NoServiceError';
}

const answerMs = 20_000;
const mostAnswerBytes = 256 * 1024;

export class ServiceClient {
  readonly #options: ServiceClientOptions;
  readonly #pools = new Map<string, ServicePool>();

  constructor(options: ServiceClientOptions) {
    this.#options = options;
  }

  /** @throws NoServiceError */
  async ask<Answer>(request: Omit<ServiceRequest, 'signal'>, shape: z.ZodType<Answer>): Promise<Answer> {
    const { services, role } = this.#options;
    const urls = await services.urlsOf(role);
    for (const [url, pool] of this.#pools) {
      if (urls.includes(url)) continue;
      this.#pools.delete(url);
      void pool.close();
    }
    let fault: unknown;
    for (const url of urls) {
      const pool = this.#pools.get(url) ?? this.#open(url);
      this.#pools.set(url, pool);
      try {
        return shape.parse(await pool.ask({ ...request, signal: AbortSignal.timeout(answerMs) }));
      } catch (error) {
        fault = error;
      }
    }
    const why = urls.length === 0 ? `no ${role} of this cluster is there` : `no ${role} of this cluster answers`;
    throw new NoServiceError(why, { cause: fault });
  }

  async close(): Promise<void> {
    await Promise.all([...this.#pools.values()].map((pool) => pool.close()));
  }

  /** A service of another cluster must not get what users of this one sent. */
  #open(url: string): ServicePool {
    const { tls, role, isOwn } = this.#options;
    return new ServicePool(url, { tls, role, isMeant: isOwn, connections: 8, mostAnswerBytes });
  }
}
