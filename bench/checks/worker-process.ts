// One worker with the check engine of one tenant with TCP targets. Leases and results are in memory, so this measures the engine and its
// probe, not a database. It counts what would have been written to a database.
import { Registry } from 'prom-client';
import { answerParent } from '../../measure/child.ts';
import { percentile } from '../../measure/statistics.ts';
import { CheckEngine } from '../../platform/checks/check-engine.ts';
import { createCheckMetrics } from '../../platform/checks/check-metrics.ts';
import type { CheckTarget, CheckTenant } from '../../platform/checks/check-tenant.ts';
import { MemoryLeaseTable } from '../../platform/checks/memory-leases.ts';
import { tcpProbe } from '../../platform/checks/probes/tcp.ts';
import { SelfCheck } from '../../platform/checks/self-check.ts';
import { shardOf } from '../../platform/checks/shards.ts';
import { StarvationGuard } from '../../platform/checks/starvation-guard.ts';
import { createLogger } from '../../platform/log/log.ts';
import { testEgress } from '../../tests/support/machine/egress.ts';

export interface WorkerQuestion {
  readonly start?: { readonly hosts: readonly string[]; readonly port: number; readonly targets: number } & Times;
  /** Names of hosts whose targets should be DOWN. */
  readonly silentHosts?: readonly string[];
}

interface Times {
  readonly intervalMs: number;
  readonly timeoutMs: number;
}

/** The numbers since the last request. */
export interface WorkerFigures {
  readonly checks: number;
  readonly inconclusive: number;
  readonly rows: number;
  readonly lateP99Ms: number;
  /** Targets recorded DOWN although they answer, and targets not recorded DOWN although they do not answer. */
  readonly falseDown: number;
  readonly missedDown: number;
}

const owner = 'bench';
const log = createLogger({ level: 'error', pretty: false });
const leases = new MemoryLeaseTable();
const status = new Map<string, { readonly host: string; status: string }>();
let late: number[] = [];
const counted = { checks: 0, inconclusive: 0, rows: 0 };

async function start(wish: NonNullable<WorkerQuestion['start']>): Promise<void> {
  const { hosts, port, intervalMs, timeoutMs } = wish;
  const targets = Array.from({ length: wish.targets }, (_, index): CheckTarget => {
    const host = hosts[index % hosts.length] ?? '';
    status.set(`t${index}`, { host, status: 'UP' });
    return {
      ...{ id: `t${index}`, probe: tcpProbe.name, parameters: { host, port }, intervalMs, timeoutMs },
      ...{ status: 'UP', revision: '' },
    };
  });
  const shardCount = Math.ceil(wish.targets / 1000);
  const tenant: CheckTenant = {
    ...{ name: 'bench', probes: [tcpProbe], shardCount },
    listTargets: async ({ wanted }) => ({
      targets: targets.filter(({ id }) => wanted.has(shardOf(id, shardCount))),
      cursor: '',
    }),
    changesAfter: async (cursor) => ({ targets: [], gone: [], cursor }),
    async record(batch, lease) {
      leases.check(lease);
      counted.rows += batch.length;
      for (const seen of batch) {
        const known = status.get(seen.targetId);
        if (known !== undefined) known.status = seen.status;
      }
    },
  };
  const metrics = createCheckMetrics(new Registry());
  const guard = new StarvationGuard({ now: () => performance.now() });
  const selfCheck = new SelfCheck({ timeoutMs: 1_000 });
  const engine = new CheckEngine({
    ...{ tenant, leases: leases.of(owner), owner, log, guard, selfCheck, egress: testEgress },
    metrics: {
      ...metrics,
      began(name, of, lateMs) {
        late.push(lateMs);
        metrics.began(name, of, lateMs);
      },
      checked(name, outcome, durationMs) {
        counted.checks += 1;
        if (outcome === 'INCONCLUSIVE') counted.inconclusive += 1;
        metrics.checked(name, outcome, durationMs);
      },
    },
  });
  await selfCheck.start();
  guard.start();
  engine.start();
}

answerParent(async (question: WorkerQuestion): Promise<WorkerFigures> => {
  if (question.start !== undefined) await start(question.start);
  const silent = new Set(question.silentHosts);
  const all = [...status.values()];
  const figures = {
    ...counted,
    lateP99Ms: percentile(late, 0.99),
    falseDown: all.filter((each) => each.status === 'DOWN' && !silent.has(each.host)).length,
    missedDown: all.filter((each) => each.status !== 'DOWN' && silent.has(each.host)).length,
  };
  Object.assign(counted, { checks: 0, inconclusive: 0, rows: 0 });
  late = [];
  return figures;
});
