// The audit trail's head, kept outside of the database: in the log, and in a file where the settings name one. Who puts an older
// state of the database back, with its signatures, is found by them.
import { appendFile } from 'node:fs/promises';
import type { Logger } from '../log.ts';
import type { AuditAnchor } from './ends.ts';

const everyMs = 60_000;

export interface AuditAnchorsOptions {
  readonly log: Logger;
  /** Path of a file that lines are added to. */
  readonly file?: string | undefined;
  readonly everyMs?: number;
}

export class AuditAnchors {
  readonly #options: AuditAnchorsOptions;
  #writtenAtMs = Number.NEGATIVE_INFINITY;
  #written = -1;
  #last: AuditAnchor | undefined;

  constructor(options: AuditAnchorsOptions) {
    this.#options = options;
  }

  /** The head has moved: it is written when the last was a minute ago. */
  async moved(head: AuditAnchor): Promise<void> {
    this.#last = head;
    if (performance.now() - this.#writtenAtMs >= (this.#options.everyMs ?? everyMs)) await this.write();
  }

  /** Writes the last head, unless it is written. */
  async write(): Promise<void> {
    const head = this.#last;
    if (head === undefined || head.position === this.#written) return;
    const { log, file } = this.#options;
    this.#writtenAtMs = performance.now();
    this.#written = head.position;
    log.info({ auditHead: head }, "the audit trail's head");
    if (file === undefined) return;
    try {
      await appendFile(file, `${JSON.stringify({ at: new Date().toISOString(), auditHead: head })}\n`, { mode: 0o600 });
    } catch (error) {
      log.error({ err: error, file }, "the audit trail's head could not be written to audit.anchorFile");
    }
  }
}
