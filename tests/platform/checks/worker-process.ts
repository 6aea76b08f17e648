// A worker process with the check engine, which tests can kill, or block on demand.
import { Registry } from 'prom-client';
import { CheckEngine } from '../../../platform/checks/check-engine.ts';
import { createCheckMetrics } from '../../../platform/checks/check-metrics.ts';
import { SelfCheck } from '../../../platform/checks/self-check.ts';
import { StarvationGuard } from '../../../platform/checks/starvation-guard.ts';
import { toleratesBrokenConnects } from '../../../platform/database/connector-rejections.ts';
import { Database, type DatabaseLocation } from '../../../platform/database/database.ts';
import { Leases } from '../../../platform/leases/leases.ts';
import { createLogger } from '../../../platform/log/log.ts';
import { newToken } from '../../../platform/values/ids.ts';
import { testEgress } from '../../support/machine/egress.ts';
import { TcpTenant } from './tcp-tenant.ts';

export interface WorkerProcessOptions {
  readonly name: string;
  readonly connection: DatabaseLocation;
  readonly guarded: boolean;
  readonly intervalMs: number;
  readonly timeoutMs: number;
}

toleratesBrokenConnects(process);
const options = JSON.parse(process.argv[2] ?? '') as WorkerProcessOptions;
const log = createLogger({ level: 'silent', pretty: false });
const owner = newToken();
const db = new Database({ connection: options.connection, connectionLimit: 4 });
const leases = new Leases({ db, owner, log, ttlMs: 3_000, renewMs: 1_000 });
const guard = new StarvationGuard({ now: () => performance.now() });
const selfCheck = new SelfCheck({ timeoutMs: 1_000 });
const registry = new Registry();
const engine = new CheckEngine({
  tenant: new TcpTenant(db, options.name, options),
  leases,
  owner,
  log,
  egress: testEgress,
  metrics: createCheckMetrics(registry),
  guard: options.guarded ? guard : { starvedSince: () => false },
  selfCheck: options.guarded ? selfCheck : { passes: async () => true },
  recordMs: 100,
});
await selfCheck.start();
guard.start();
engine.start();

process.on('message', (message: { blockMs: number }) => {
  const until = performance.now() + message.blockMs;
  while (performance.now() < until);
  setTimeout(async () => {
    const text = await registry.getSingleMetricAsString('tidegate_checks_total');
    process.send?.({ inconclusive: Number(/outcome="INCONCLUSIVE"\} (\d+)/.exec(text)?.[1] ?? 0) });
  }, 400);
});
process.on('disconnect', () => process.exit(0));
