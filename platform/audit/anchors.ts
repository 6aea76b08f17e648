// Copies of the audit trail's head outside of the database: in the log, and in a file where the settings name one. They reveal a
// database that was reset to an older state together with its valid signatures.
import { appendFile } from 'node:fs/promises';
import type { Logger } from '../log/log.ts';
import type { AuditAnchor } from './ends.ts';

const everyMs = 60_000;

interface AuditAnchorsOptions {
  readonly log: Logger;
  /** Path of a file that lines are appended to. */
  readonly file?: string | undefined;
  readonly everyMs?: number;
}

export class AuditAnchors {
  readonly #options: AuditAnchorsOptions;
  #writtenAtMs = Number.NEGATIVE_INFINITY;
  #written = '';
  #last: AuditAnchor | undefined;

  constructor(options: AuditAnchorsOptions) {
    this.#options = options;
  }

  /** Called when the head has moved; it is written at most once a minute. */
  async moved(head: AuditAnchor): Promise<void> {
    this.#last = head;
    if (performance.now() - this.#writtenAtMs >= (this.#options.everyMs ?? everyMs)) await this.write();
  }

  /** Writes the last head, unless it was written already. */
  async write(): Promise<void> {
    const head = this.#last;
    if (head === undefined || head.hash === this.#written) return;
    const { log, file } = this.#options;
    this.#writtenAtMs = performance.now();
    this.#written = head.hash;
    log.info({ auditHead: head }, "the audit trail's head");
    if (file === undefined) return;
    try {
      await appendFile(file, `${JSON.stringify({ at: new Date().toISOString(), auditHead: head })}\n`, { mode: 0o600 });
    } catch (error) {
      log.error({ err: error, file }, "the audit trail's head could not be written to audit.anchorFile");
    }
  }
}
