// Gives the hosts the newest signed end of the audit trail to keep. So if the end is cut off later, this is detected.

import type { AuditHead } from '../../../../platform/audit/ends.ts';
import { auditHeadToKeep } from '../../../../platform/audit/verify.ts';
import type { Database } from '../../../../platform/database/database.ts';
import type { Logger } from '../../../../platform/log/log.ts';
import type { HaCluster } from '../../../../platform/process/ha-cluster.ts';
import type { PublicKeys } from '../../../../platform/secrets/key-pairs.ts';

interface AuditHeadCheckOptions {
  readonly cluster: HaCluster;
  readonly db: Database;
  readonly publicKeys: PublicKeys;
  readonly log: Logger;
}

export class AuditHeadCheck {
  readonly #options: AuditHeadCheckOptions;
  readonly #told = new Set<string>();

  constructor(options: AuditHeadCheckOptions) {
    this.#options = options;
  }

  /** Resolves with the ends that the trail lacks. */
  async run(): Promise<readonly AuditHead[]> {
    const { cluster, db, publicKeys, log } = this.#options;
    const kept = await cluster.auditHeads();
    const { head, replaced, lacking } = await auditHeadToKeep(db, publicKeys, kept);
    if (head !== undefined) await cluster.keepAuditHead(head, replaced);
    for (const { position, hash, epoch } of lacking) {
      if (this.#told.has(hash)) continue;
      this.#told.add(hash);
      log.error({ position, epoch }, 'the audit trail lacks an end that the hosts keep: see "tidegate audit verify"');
    }
    return lacking;
  }
}
