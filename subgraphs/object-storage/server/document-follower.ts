// Follows the documents of the centre in this cluster's database: tells each of them once, in the order in which they came.
import type { Logger } from '../../../platform/log.ts';
import { Loop } from '../../../platform/loop.ts';
import type { VerifiedDocument } from '../documents/signed-document.ts';
import { readStored } from '../documents/stored-document.ts';
import type { DocumentStore } from '../store/document-store.ts';

export interface DocumentFollowerOptions {
  readonly store: Pick<DocumentStore, 'since'>;
  readonly log: Logger;
  readonly take: (document: VerifiedDocument) => void;
  /** After each page of them. */
  readonly taken?: () => Promise<void>;
}

/** With the time that a document takes to come here, less than the five seconds in which a revocation is known. */
const lookMs = 250;

export class DocumentFollower {
  readonly #options: DocumentFollowerOptions;
  readonly #loop: Loop;
  #arrival = 0;

  constructor(options: DocumentFollowerOptions) {
    this.#options = options;
    const { log } = options;
    this.#loop = new Loop({ name: 'documents of the centre', log, pauseMs: () => lookMs, run: () => this.#look() });
  }

  /** Resolves when all that are there have been told. */
  async start(): Promise<void> {
    while (await this.#look());
    this.#loop.start();
  }

  /** Looks now, for some may have come. */
  trigger(): void {
    this.#loop.trigger();
  }

  stop(): Promise<void> {
    return this.#loop.stop();
  }

  async #look(): Promise<boolean> {
    const { store, take, taken } = this.#options;
    const documents = await store.since(this.#arrival);
    for (const document of documents) take(readStored(document));
    if (documents.length > 0) await taken?.();
    this.#arrival = documents.at(-1)?.arrival ?? this.#arrival;
    return documents.length > 0;
  }
}
