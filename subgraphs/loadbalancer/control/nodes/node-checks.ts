// Nodes as a tenant of the check engine. Records the results of checks; the reconciler decides what follows, under the lock of the load
// balancer.
import type { CheckObservation, CheckTarget, CheckTenant, Shards } from '../../../../platform/checks/check-tenant.ts';
import { shardSql } from '../../../../platform/checks/shards.ts';
import type { Database, SqlValue, Transaction } from '../../../../platform/database/database.ts';
import { marksFor } from '../../../../platform/database/sql.ts';
import { checkLease, type HeldLease } from '../../../../platform/leases/leases.ts';
import { type EgressPolicy, egressFrom } from '../../../../platform/net/egress.ts';
import { owe } from '../../../../platform/owed/owed-work.ts';
import type { Wake } from '../../../../platform/work/wake.ts';
import { managementRanges } from '../../rules/management-ranges.ts';
import { isUnchecked } from '../../rules/plan-input.ts';
import type { NodeRow } from '../../rules/rows.ts';
import type { OperatingStatus } from '../../rules/states.ts';
import { lockBalancer } from '../stores/balancer-store.ts';
import { reconcileKind } from '../stores/change-balancer.ts';
import { type NodeCheckDetail, nodeProbe } from './node-probe.ts';
import { nodesTopic, nodesUnderLock, noteCheck, readNodes, setNodeHealth, settleMs } from './node-store.ts';
import { UncheckedNodes } from './unchecked-nodes.ts';

export interface NodeCheckSettings {
  readonly intervalMs: number;
  readonly timeoutMs: number;
  readonly fall: number;
  readonly rise: number;
  /** CIDR blocks from which hosts may give nodes their management addresses: checks connect to no others. */
  readonly managementRanges: readonly string[];
}

export const usualNodeChecks: NodeCheckSettings = {
  ...{ intervalMs: 500, timeoutMs: 400, fall: 2, rise: 2 },
  managementRanges,
};

export interface NodeChecksOptions {
  readonly db: Database;
  readonly wake: Wake;
  /** The process's egress policy: its own listeners are never dialled. */
  readonly egress: EgressPolicy;
  readonly settings?: NodeCheckSettings;
}

type Observation = CheckObservation<NodeCheckDetail>;

export function createNodeChecks(options: NodeChecksOptions): CheckTenant<NodeCheckDetail> {
  const { db, wake, egress, settings = usualNodeChecks } = options;
  const seen = new Map<string, string>();
  const unchecked = new UncheckedNodes({ db, wake });
  const probe = nodeProbe({
    isNews(id, incarnation) {
      const news = seen.get(id) !== incarnation;
      seen.set(id, incarnation);
      return news;
    },
    onDenied(id, reason) {
      // The next success is news.
      seen.delete(id);
      unchecked.note(id, reason);
    },
  });
  const list = async (which: Which) => (await readTargets(db, which)).map((row) => targetOf(row, settings));
  return {
    name: 'lb-nodes',
    probes: [probe],
    egress: managementPolicy(egress, settings.managementRanges),
    handsOver: true,
    notesDoubts: true,
    // Records only changes of state.
    samplesPerSecond: Number.MIN_VALUE,
    usedShards: async () => ((await db.query('SELECT 1 FROM lb_node LIMIT 1')).length > 0 ? undefined : new Set()),
    async listTargets(shards) {
      const cursor = await cursorNow(db);
      const targets = await list({ shards });
      // Earlier results may not have been recorded.
      for (const { id } of targets) seen.delete(id);
      return { cursor, targets };
    },
    async changesAfter(cursor) {
      const next = await cursorNow(db);
      // The clock was set back, or another server's clock differs.
      if (next < cursor) return undefined;
      const ids = await changedSince(db, cursor);
      const targets = await list({ ids });
      const known = new Set(targets.map(({ id }) => id));
      return { targets, gone: ids.filter((id) => !known.has(id)), cursor: next };
    },
    onChange: (listener) => wake.on(nodesTopic, listener),
    async retain(ids) {
      for (const id of seen.keys()) if (!ids.has(id)) seen.delete(id);
      unchecked.retain(ids);
    },
    record: (batch, lease) => recordNodeChecks(db, wake, batch, lease, settings),
  };
}

/** Allows only networks in which nodes are managed, and never the installation's own listeners. */
function managementPolicy(egress: EgressPolicy, ranges: readonly string[]): EgressPolicy {
  let own: readonly string[] | undefined;
  let policy = egress;
  const current = () => {
    if (own !== egress.rules.own) {
      own = egress.rules.own;
      policy = egressFrom({ allow: ranges, deny: ['0.0.0.0/0', '::/0'], own });
    }
    return policy;
  };
  return {
    get rules() {
      return current().rules;
    },
    denial: (address, port) => current().denial(address, port),
  };
}

type Which = { readonly shards: Shards } | { readonly ids: readonly string[] };

interface TargetRow {
  readonly id: string;
  readonly address: string;
  readonly port: number;
  readonly status: OperatingStatus;
  readonly round: number;
}

/** Nodes that their hosts have configured. */
async function readTargets(db: Database, which: Which): Promise<TargetRow[]> {
  const [condition, values]: readonly [string, readonly SqlValue[]] =
    'ids' in which
      ? [`n.id IN (${marksFor(which.ids)})`, which.ids]
      : [
          `${shardSql('n.id')} IN (${marksFor([...which.shards.wanted])})`,
          [which.shards.count, ...which.shards.wanted],
        ];
  if (('ids' in which ? which.ids.length : which.shards.wanted.size) === 0) return [];
  return db.query<TargetRow>(
    `SELECT n.id, n.management_address AS address, h.health_port AS port, n.operating_status AS status, n.round
    FROM lb_node n JOIN lb_host h ON h.id = n.host_id
    WHERE n.state IN ('BUILDING', 'SERVING', 'DRAINING', 'REPLACED') AND n.configured_at IS NOT NULL AND n.management_address IS NOT NULL
      AND ${condition} ORDER BY n.id`,
    values,
  );
}

function targetOf({ id, address, port, status, round }: TargetRow, settings: NodeCheckSettings): CheckTarget {
  const { intervalMs, timeoutMs, fall, rise } = settings;
  return {
    ...{ id, probe: 'lb-node', parameters: { host: address, port, node: id }, intervalMs, timeoutMs, fall, rise },
    confirmMs: intervalMs,
    status: status === 'ONLINE' ? 'UP' : status === 'ERROR' ? 'DOWN' : 'UNKNOWN',
    // A new round also begins without the engine, when the host gives up on its HAProxy.
    revision: `${address} ${port} ${round}`,
  };
}

/** Longest time of a transaction: its changes may become visible only after a later cursor was read. */
const longestTransaction = 'INTERVAL 10 SECOND';

async function cursorNow(db: Database): Promise<string> {
  const [row] = await db.query<{ cursor: string }>(
    `SELECT DATE_FORMAT(NOW(3) - ${longestTransaction}, '%Y-%m-%d %H:%i:%s.%f') AS \`cursor\``,
  );
  return row?.cursor ?? '';
}

async function changedSince(db: Database, cursor: string): Promise<readonly string[]> {
  const rows = await db.query<{ id: string }>('SELECT id FROM lb_node WHERE updated_at >= ?', [cursor]);
  return rows.map(({ id }) => id);
}

/** One transaction per load balancer, fenced by the shard's lease. Recording the same result again changes nothing. */
export async function recordNodeChecks(
  db: Database,
  wake: Wake,
  batch: readonly Observation[],
  lease: Pick<HeldLease, 'name' | 'token'>,
  settings: DoubtSettings = usualNodeChecks,
): Promise<void> {
  const rows = await readNodes(
    db,
    batch.map(({ targetId }) => targetId),
  );
  const byBalancer = Map.groupBy(
    batch.filter((seen) => isNews(rows.get(seen.targetId), seen)),
    ({ targetId }) => rows.get(targetId)?.loadBalancerId ?? '',
  );
  for (const [balancerId, observations] of byBalancer)
    await db.transaction(async (tx) => {
      await lockBalancer(tx, balancerId);
      const nodes = new Map((await nodesUnderLock(tx, balancerId)).map((node) => [node.id, node]));
      for (const seen of observations) {
        const node = nodes.get(seen.targetId);
        if (isNews(node, seen)) await recordOne(tx, wake, node, seen, settings);
      }
      await owe(tx, reconcileKind, balancerId, {}, wake);
      await checkLease(tx, lease);
    });
}

function isNews(node: NodeRow | undefined, { status, outcome, detail }: Observation): node is NodeRow {
  // A node that is being deleted may disappear at any moment.
  if (node === undefined || node.state === 'DELETING' || node.state === 'DELETED') return false;
  if (isUnchecked(node)) return true;
  if (statusOf(status) !== undefined && statusOf(status) !== node.operatingStatus) return true;
  if (node.suspect !== (outcome === 'DOWN')) return true;
  return detail !== null && (node.checkedAt === null || detail.incarnation !== node.checkedIncarnation);
}

async function recordOne(
  tx: Transaction,
  wake: Wake,
  node: NodeRow,
  seen: Observation,
  settings: DoubtSettings,
): Promise<void> {
  const { outcome, detail, status, message } = seen;
  const checked = await noteCheck(tx, wake, node, {
    suspect: outcome === 'DOWN',
    incarnation: detail?.incarnation ?? node.checkedIncarnation,
    succeeded: outcome === 'UP',
  });
  if (statusOf(status) !== undefined)
    await setNodeHealth(tx, wake, checked, { up: status === 'UP', message, judgeInMs: judgeInMsOf(seen, settings) });
}

type DoubtSettings = Pick<NodeCheckSettings, 'intervalMs' | 'timeoutMs' | 'fall'>;

/**
 * Time after which other nodes that fell at the same moment have been doubted too. The first failing check of each began at most one
 * interval after that of the node that is down. The node's own second check began no earlier, and had to fail. A silent node is doubted
 * before it fails, and a worker that was starved in the meantime would not have decided. If checks begin late, the worker stood still:
 * another node's running check then shows nothing, and is repeated an interval later.
 */
export function judgeInMsOf(
  { lateMs }: Pick<CheckObservation, 'lateMs'>,
  { intervalMs, timeoutMs, fall }: DoubtSettings,
): number {
  return settleMs + (lateMs > settleMs ? intervalMs + timeoutMs : 0) + (fall > 1 ? 0 : intervalMs);
}

function statusOf(status: Observation['status']): OperatingStatus | undefined {
  return status === 'UP' ? 'ONLINE' : status === 'DOWN' ? 'ERROR' : undefined;
}
