// Polls the cluster of hosts for metrics. One process also writes changes to the status events and the audit trail.
import type { Registry } from 'prom-client';
import type { Database, Transaction } from '../../../../platform/database/database.ts';
import { appendStatus } from '../../../../platform/events/append.ts';
import type { StatusEvent } from '../../../../platform/events/kinds.ts';
import { checkLease, type HeldLease, type Leases } from '../../../../platform/leases/leases.ts';
import type { Logger } from '../../../../platform/log/log.ts';
import { type HaCluster, type HaMove, type HaStatus, haClusterId } from '../../../../platform/process/ha-cluster.ts';
import { addHaMetrics } from '../../../../platform/process/metrics.ts';
import type { PublicKeys } from '../../../../platform/secrets/key-pairs.ts';
import { Loop } from '../../../../platform/work/loop.ts';
import type { Wake } from '../../../../platform/work/wake.ts';
import { systemEvents } from '../events.ts';
import { ActAudit } from './act-audit.ts';
import { AuditHeadCheck } from './audit-head-check.ts';

export interface HaWatchOptions {
  readonly cluster: HaCluster;
  readonly db: Database;
  readonly leases: Leases;
  readonly wake: Wake;
  readonly log: Logger;
  readonly registry: Registry;
  /** Keys that verify the audit trail. */
  readonly publicKeys: PublicKeys;
}

/** The state that the events have reported. */
interface Told {
  readonly epoch: number;
  readonly copies: number;
  readonly paused: boolean;
}

interface StoredTold extends Told {
  readonly version: number;
}

const leaseName = 'ha-watch';
const lookMs = 1_000;

export class HaWatch {
  readonly #options: HaWatchOptions;
  readonly #loop: Loop;
  readonly #acts: ActAudit;
  readonly #heads: AuditHeadCheck;
  #lease: HeldLease | undefined;
  #seen: { readonly status: HaStatus; readonly atMs: number } | undefined;
  /** Undefined if it must be read. */
  #told: Told | undefined;

  constructor(options: HaWatchOptions) {
    this.#options = options;
    const { log, registry } = options;
    this.#acts = new ActAudit(options);
    this.#heads = new AuditHeadCheck(options);
    this.#loop = new Loop({ name: 'cluster of hosts', log, pauseMs: () => lookMs, run: () => this.#look() });
    addHaMetrics(registry, () => this.#seen);
  }

  start(): void {
    this.#loop.start();
  }

  async stop(): Promise<void> {
    await this.#loop.stop();
    await this.#lease?.release();
  }

  async #look(): Promise<boolean> {
    const { cluster, leases } = this.#options;
    const status = await cluster.status();
    this.#seen = { status, atMs: performance.now() };
    // Without a primary nothing can be written.
    if (status.primary === null) return false;
    if (this.#lease === undefined || this.#lease.signal.aborted) {
      this.#lease = await leases.acquire(leaseName);
      this.#told = undefined;
    }
    const lease = this.#lease;
    if (lease === undefined) return false;
    if (!isTold(this.#told, status)) await this.#tell(status, lease);
    const lacking = await this.#heads.run();
    await this.#acts.run(status.epoch, lease, lacking);
    return false;
  }

  async #tell(status: HaStatus, lease: HeldLease): Promise<void> {
    const { cluster, db, wake } = this.#options;
    const moves = await cluster.moves();
    this.#told = await db.transaction(async (tx) => {
      const told = await readTold(tx);
      const { epoch, copies, paused } = status;
      const now = { epoch: Math.max(epoch, told.epoch), copies, paused };
      const news = newsOf(told, now, status, moves);
      if (news.length > 0) {
        await tx.execute('UPDATE ha_told SET version = ?, epoch = ?, copies = ?, paused = ? WHERE id = 1', [
          ...[told.version + news.length, now.epoch, copies, paused],
        ]);
        await appendStatus(tx, systemEvents, news, wake);
      }
      await checkLease(tx, lease);
      return now;
    });
  }
}

type News = StatusEvent<Pick<typeof systemEvents, 'ha.primary' | 'ha.copies' | 'ha.promotion'>>;

/** Nothing is known before the first poll, so earlier changes are not news. */
function newsOf(told: StoredTold, now: Told, { hosts }: HaStatus, moves: readonly HaMove[]): News[] {
  const isFirst = told.epoch === 0;
  let { version } = told;
  const subject = () => {
    version += 1;
    return { projectId: null, subjectId: haClusterId, subjectVersion: version };
  };
  const reigns = moves
    .flatMap(({ epoch, ...move }) => (epoch === null ? [] : [{ ...move, epoch }]))
    .filter(({ epoch }) => epoch > told.epoch && epoch <= now.epoch)
    .toSorted((one, other) => one.epoch - other.epoch);
  const news: News[] = reigns.slice(isFirst ? -1 : 0).map(({ epoch, primary, previous, reason: cause, gapMs }) => ({
    ...subject(),
    kind: 'ha.primary',
    from: isFirst ? null : 'LEADS',
    to: 'LEADS',
    reason: `${primary} took over from ${previous}, timeline ${epoch}: ${cause}; ${gapMs === null ? 'writes not yet open' : `${gapMs} ms without a primary`}`,
  }));
  const [before, after] = [copiesOf(told), copiesOf(now)];
  if (isFirst || before !== after) {
    const copies = hosts.filter(({ state }) => state === 'PRIMARY' || state === 'IN_SYNC').map(({ name }) => name);
    const reason = copies.join(', ');
    news.push({ ...subject(), kind: 'ha.copies', from: isFirst ? null : before, to: after, reason });
  }
  if (told.paused !== now.paused)
    news.push({ ...subject(), kind: 'ha.promotion', from: promotionOf(told), to: promotionOf(now) });
  return news;
}

function copiesOf({ copies }: Told): 'ONE_COPY' | 'IN_SYNC' {
  return copies > 1 ? 'IN_SYNC' : 'ONE_COPY';
}

function promotionOf({ paused }: Told): 'PAUSED' | 'ON' {
  return paused ? 'PAUSED' : 'ON';
}

function isTold(told: Told | undefined, now: HaStatus): boolean {
  return told !== undefined && told.epoch >= now.epoch && told.paused === now.paused && told.copies === now.copies;
}

async function readTold(tx: Transaction): Promise<StoredTold> {
  const sql = 'SELECT version, epoch, copies, paused FROM ha_told WHERE id = 1 FOR UPDATE';
  const [row] = await tx.query<{ version: number; epoch: number; copies: number; paused: number }>(sql);
  if (row === undefined) throw new Error('ha_told is empty: apply the migrations');
  return { ...row, paused: row.paused === 1 };
}
