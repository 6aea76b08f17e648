// Authentication at a cluster: with access keys that the control plane has sealed for this cluster, and with tokens signed by a cluster of
// the federation. Both are checked against the local documents, without asking another cluster.
import { LRUCache } from 'lru-cache';
import type { Logger } from '../../../../platform/log/log.ts';
import type { Caller } from '../../engine/namespace/namespace.ts';
import type { DocumentStore } from '../../engine/store/document-store.ts';
import type { AccessKeyDocument, AccountDocument } from '../../wire/documents/documents.ts';
import { open, sealedPlace } from '../../wire/documents/seal-for.ts';
import type { VerifiedDocument } from '../../wire/documents/signed-document.ts';
import { readStored } from '../../wire/documents/stored-document.ts';
import { ObjectError } from '../../wire/object-error.ts';

interface KnownKey {
  readonly secret: string;
  readonly caller: Caller;
}

interface AccessOptions {
  readonly store: Pick<DocumentStore, 'find'>;
  /** This cluster's number. */
  readonly self: number;
  /** The cluster's own private key, PEM. */
  readonly privateKey: string;
  readonly log: Logger;
}

interface Entry {
  /** Undefined if there is no such key. */
  readonly key: KnownKey | undefined;
  readonly accountId: string | undefined;
}

const mostKept = 10_000;
/** The database is asked for a missing key at most once in this time. */
const absentMs = 1_000;
const keyIds = /^[A-Z0-9]{16,32}$/;

export class Access {
  readonly #options: AccessOptions;
  readonly #known = new LRUCache<string, Entry>({ max: mostKept });
  /** Incremented with each document: a value read before a document arrived is not cached after it. */
  #taken = 0;
  /** The cluster was without the control plane for so long that a revocation may not have arrived. */
  isIsolated = false;

  constructor(options: AccessOptions) {
    this.#options = options;
  }

  /** Drops cached values that the document changes. */
  take({ kind, name }: Pick<VerifiedDocument, 'kind' | 'name'>): void {
    if (kind !== 'key' && kind !== 'account') return;
    this.#taken += 1;
    const of = name.slice(name.indexOf('/') + 1);
    if (kind === 'key') this.#known.delete(of);
    if (kind !== 'account') return;
    for (const [id, { accountId }] of this.#known.entries()) if (accountId === of) this.#known.delete(id);
  }

  /** Undefined if it does not exist or is revoked, or its account is closed. @throws ObjectError ISOLATED */
  async find(accessKeyId: string): Promise<KnownKey | undefined> {
    if (!keyIds.test(accessKeyId)) return undefined;
    this.mustNotBeIsolated();
    const known = this.#known.get(accessKeyId);
    if (known !== undefined) return known.key;
    const before = this.#taken;
    const entry = await this.#read(accessKeyId);
    if (this.#taken === before) this.#known.set(accessKeyId, entry, entry.key === undefined ? { ttl: absentMs } : {});
    return entry.key;
  }

  /** @throws ObjectError ISOLATED */
  mustNotBeIsolated(): void {
    if (this.isIsolated)
      throw new ObjectError(
        'ISOLATED',
        'this cluster has been without the control plane for too long: use another cluster',
      );
  }

  async #read(accessKeyId: string): Promise<Entry> {
    const { self, privateKey, log } = this.#options;
    const document = await this.#document('key', accessKeyId);
    if (document === undefined || document.isRevoked) return { key: undefined, accountId: undefined };
    const { accountId, canWrite, sealed } = document;
    const account = await this.#document('account', accountId);
    const own = sealed[String(self)];
    if (account?.state !== 'ACTIVE' || own === undefined) return { key: undefined, accountId };
    try {
      const secret = open(own, privateKey, sealedPlace(accessKeyId, self));
      return { key: { secret, caller: { accountId, canWrite, name: accessKeyId } }, accountId };
    } catch (error) {
      log.error({ err: error, accessKeyId }, 'this cluster cannot open an access key');
      return { key: undefined, accountId };
    }
  }

  async #document(kind: 'key', key: string): Promise<AccessKeyDocument | undefined>;
  async #document(kind: 'account', key: string): Promise<AccountDocument | undefined>;
  async #document(kind: 'key' | 'account', key: string): Promise<unknown> {
    const stored = await this.#options.store.find(kind, key);
    return stored === undefined ? undefined : readStored(stored).body;
  }
}
