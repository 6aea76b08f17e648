// Audits requests on the hosts, and promotions that lost writes: one entry for each, written by the process that has the lease.
// Audited acts are recorded in the entry's transaction, so another process, or another primary, knows them.
import { auditAll } from '../../../../platform/audit/audit.ts';
import { type AuditHead, haPromotedLossy } from '../../../../platform/audit/ends.ts';
import type { Database } from '../../../../platform/database/database.ts';
import { marksFor } from '../../../../platform/database/sql.ts';
import { checkLease, type HeldLease } from '../../../../platform/leases/leases.ts';
import { type HaAct, type HaCluster, haClusterId } from '../../../../platform/process/ha-cluster.ts';

export class ActAudit {
  readonly #cluster: HaCluster;
  readonly #db: Database;
  /**
   * Acts audited under `#epoch` and `#lease`. It is cleared when these change, because a database that lost writes has lost the
   * acts' entries, too.
   */
  #audited = new Set<string>();
  #epoch = 0;
  #lease: HeldLease | undefined;

  constructor({ cluster, db }: { readonly cluster: HaCluster; readonly db: Database }) {
    this.#cluster = cluster;
    this.#db = db;
  }

  /** `lacking`: signed ends that the hosts keep and the trail has lost. */
  async run(epoch: number, lease: HeldLease, lacking: readonly AuditHead[]): Promise<void> {
    if (epoch !== this.#epoch || lease !== this.#lease) this.#audited.clear();
    this.#epoch = epoch;
    this.#lease = lease;
    const acts = await this.#cluster.acts();
    if (acts.every(({ id }) => this.#audited.has(id))) return;
    await this.#audit(
      acts.map((act) => withLostEnd(act, lacking)),
      lease,
    );
    this.#audited = new Set(acts.map(({ id }) => id));
  }

  #audit(acts: readonly HaAct[], lease: HeldLease): Promise<void> {
    const ids = acts.map(({ id }) => id);
    return this.#db.transaction(async (tx) => {
      const rows = await tx.query<{ id: string }>('SELECT id FROM ha_act_audited FOR UPDATE');
      const audited = new Set(rows.map(({ id }) => id));
      const news = acts.filter(({ id }) => !audited.has(id));
      await auditAll(
        tx,
        news.map(({ id, moveId, action, by, details }) => ({
          ...{ identity: { kind: 'host' as const, id: null, name: by }, action, projectId: null },
          ...(moveId === undefined
            ? { subjectType: 'HaCluster', subjectId: haClusterId }
            : { subjectType: 'HaMove', subjectId: moveId }),
          ...{ outcome: 'ACCEPTED' as const, requestId: id, details },
        })),
      );
      if (news.length > 0)
        await tx.execute(
          `INSERT INTO ha_act_audited (id) VALUES ${news.map(() => '(?)').join(', ')}`,
          news.map(({ id }) => id),
        );
      // The hosts keep a bounded number of acts.
      await tx.execute(`DELETE FROM ha_act_audited WHERE id NOT IN (${marksFor(ids)})`, ids);
      await checkLease(tx, lease);
    });
  }
}

/** Adds the lost end of the trail to the audit entry about the loss. */
function withLostEnd(act: HaAct, lacking: readonly AuditHead[]): HaAct {
  if (act.action !== haPromotedLossy) return act;
  const lost = lacking.findLast(({ epoch }) => epoch < Number(act.details.epoch));
  if (lost === undefined) return act;
  return { ...act, details: { ...act.details, auditHeadPosition: lost.position, auditHeadHash: lost.hash } };
}
