// Follows the control plane's documents in this cluster's database, and passes on each of them once, in order of arrival. One that can't be
// read, for instance of a later release, holds up no others.
import type { Logger } from '../../../../platform/log/log.ts';
import { Loop } from '../../../../platform/work/loop.ts';
import type { VerifiedDocument } from '../../wire/documents/signed-document.ts';
import { readStored } from '../../wire/documents/stored-document.ts';
import type { DocumentStore } from '../store/document-store.ts';

interface DocumentFollowerOptions {
  readonly store: Pick<DocumentStore, 'since'>;
  readonly log: Logger;
  readonly take: (document: VerifiedDocument) => void;
  /** Called after each page. */
  readonly taken?: () => Promise<void>;
}

/** Added to the time in which a document arrives here, it stays below the five seconds in which a revocation takes effect. */
const lookMs = 250;

export class DocumentFollower {
  readonly #options: DocumentFollowerOptions;
  readonly #loop: Loop;
  #arrival = 0;

  constructor(options: DocumentFollowerOptions) {
    this.#options = options;
    const { log } = options;
    this.#loop = new Loop({
      name: 'documents of the control plane',
      log,
      pauseMs: () => lookMs,
      run: () => this.#look(),
    });
  }

  /** Resolves when all stored documents have been passed on. */
  async start(): Promise<void> {
    while (await this.#look());
    this.#loop.start();
  }

  /** Polls now, because documents may have arrived. */
  trigger(): void {
    this.#loop.trigger();
  }

  stop(): Promise<void> {
    return this.#loop.stop();
  }

  async #look(): Promise<boolean> {
    const { store, take, taken, log } = this.#options;
    const documents = await store.since(this.#arrival);
    for (const document of documents)
      try {
        take(readStored(document));
      } catch (error) {
        // Later ones may be revocations.
        const { kind, key, generation } = document;
        log.error({ err: error, kind, key, generation }, 'a document cannot be read and is passed over');
      }
    if (documents.length > 0) await taken?.();
    this.#arrival = documents.at(-1)?.arrival ?? this.#arrival;
    return documents.length > 0;
  }
}
