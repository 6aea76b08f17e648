// The composition root: from settings to a running process with any of the roles. The only place that knows all parts; a
// role's code is loaded only where the role is, which makes the others start sooner and smaller.
import type { Registry } from 'prom-client';
import { Commits } from '../../platform/commits.ts';
import type { Config, ProcessRole } from '../../platform/config.ts';
import { Database } from '../../platform/database/database.ts';
import { Health } from '../../platform/health.ts';
import { Lifecycle } from '../../platform/lifecycle.ts';
import type { Logger } from '../../platform/log.ts';
import { createMetrics } from '../../platform/metrics.ts';
import { Mutations } from '../../platform/mutation.ts';
import { openKeyring } from '../../platform/secrets/keyring.ts';
import { createSealer } from '../../platform/secrets/seal.ts';
import type { RelaySubgraph } from '../../subgraphs/relay/relay.ts';
import type { SystemSubgraph } from '../../subgraphs/system/system.ts';
import { keyFile, redisLocation, standbyLocation } from './connections.ts';
import { type LocalParts, layGround } from './ground.ts';
import { redisPrefix } from './places.ts';

export interface RunningProcess {
  /** The public endpoint; undefined without the role gateway. */
  readonly url: string | undefined;
  /** Present with the role system. */
  readonly system: SystemSubgraph | undefined;
  /** Present with the role relay. */
  readonly relay: RelaySubgraph | undefined;
  /** UUID of this incarnation, by which leases and calls know it; undefined for a gateway alone. */
  readonly owner: string | undefined;
  readonly registry: Registry;
  readonly health: Health;
  /** Drains requests, subscriptions, calls and jobs, then closes the connections. Never throws. */
  stop(): Promise<void>;
}

/** Starts the roles of `config`; what was started is stopped again when one of them can't be. */
export async function startProcess(config: Config, log: Logger, local: LocalParts = {}): Promise<RunningProcess> {
  const lifecycle = new Lifecycle({ log });
  try {
    const running = await compose(config, log, lifecycle, local);
    lifecycle.ready();
    return running;
  } catch (error) {
    await lifecycle.stop();
    throw error;
  }
}

async function compose(config: Config, log: Logger, lifecycle: Lifecycle, local: LocalParts): Promise<RunningProcess> {
  const has = (role: ProcessRole) => config.roles.includes(role);
  const registry = createMetrics();
  const health = new Health();
  const trust = await openKeyring(keyFile(config, 'keys.trustFile'));
  const ground =
    has('system') || has('relay') || has('worker')
      ? await layGround({ config, log, lifecycle, registry, health, ...local })
      : undefined;

  let system: SystemSubgraph | undefined;
  let relay: RelaySubgraph | undefined;
  if (ground !== undefined) {
    const { db, wake, feed, leases, redis } = ground;
    const standbyAt = standbyLocation(config);
    const standby = standbyAt === undefined ? undefined : new Database({ connection: standbyAt, connectionLimit: 2 });
    if (standby !== undefined) await lifecycle.add('standby', { stop: () => standby.close() });
    const commits = new Commits({ db, keyring: trust, log, ...(standby === undefined ? {} : { standby }) });
    const mutations = new Mutations({ db, commits, log });
    if (has('system')) {
      const { RedisRateLimiter } = await import('../../subgraphs/system/access/rate-limiter.ts');
      const { createSystemSubgraph } = await import('../../subgraphs/system/system.ts');
      const rateLimiter = new RedisRateLimiter({ redis, log, prefix: redisPrefix });
      system = createSystemSubgraph({
        db,
        feed,
        commits,
        mutations,
        wake,
        keyring: trust,
        rateLimiter,
        log,
        health: () => health.parts(),
      });
    }
    if (has('relay') || has('worker')) {
      const sealer = createSealer(await openKeyring(keyFile(config, 'keys.sealingFile')));
      if (has('relay')) {
        const { createRelaySubgraph } = await import('../../subgraphs/relay/relay.ts');
        relay = createRelaySubgraph({
          db,
          feed,
          wake,
          leases,
          commits,
          mutations,
          sealer,
          log,
          registry,
          owner: ground.owner,
          name: config.name,
          settings: { deviceExecutionMs: config['relay.deviceGraceMs'] },
        });
        await lifecycle.add('relay', relay);
      }
      if (has('worker')) {
        const { createWorker } = await import('../../workers/worker.ts');
        const worker = createWorker({
          db,
          redis: redisLocation(config),
          redisPrefix,
          wake,
          sealer,
          log,
          registry,
          owner: ground.owner,
          config,
        });
        await lifecycle.add('worker', worker);
      }
    }
    const { serveInternally } = await import('./internal-endpoints.ts');
    await serveInternally(config, log, lifecycle, trust, system, relay);
  }
  const gatewayRole = has('gateway') ? await import('./gateway-role.ts') : undefined;
  const gateway = await gatewayRole?.openGateway({ config, log, lifecycle, trust, registry, health, system, relay });
  return { url: gateway?.url, system, relay, owner: ground?.owner, registry, health, stop: () => lifecycle.stop() };
}
