// Calls a controller or resolver of this cluster. Services store their addresses in the cluster's database; they are tried one after the
// other.
import type { z } from 'zod';
import type { MutualTls } from '../../../../platform/machines/tls.ts';
import { ServicePool, type ServiceRequest } from '../../engine/federation/service-pool.ts';
import type { ServiceStore } from '../../engine/store/service-store.ts';

interface ServiceClientOptions {
  readonly services: Pick<ServiceStore, 'urlsOf'>;
  /** Role of the services to call. */
  readonly role: string;
  readonly tls: MutualTls;
  /** Whether a machine with this name belongs to this cluster. */
  readonly isOwn: (machine: { readonly name: string }) => boolean;
}

/** No service with this role answered. */
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
    const why = urls.length === 0 ? `this cluster has no ${role}` : `no ${role} of this cluster answers`;
    throw new NoServiceError(why, { cause: fault });
  }

  async close(): Promise<void> {
    await Promise.all([...this.#pools.values()].map((pool) => pool.close()));
  }

  /** A service of another cluster must not receive what this cluster's users sent. */
  #open(url: string): ServicePool {
    const { tls, role, isOwn } = this.#options;
    return new ServicePool(url, { tls, role, isMeant: isOwn, connections: 8, mostAnswerBytes });
  }
}
