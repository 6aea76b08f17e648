// Who may come in: access keys that the centre made, sealed for this cluster, and tokens that a cluster of the federation has signed. Both are
// judged by the documents that are here, so that no other cluster is asked.
import { LRUCache } from 'lru-cache';
import type { Logger } from '../../../platform/log.ts';
import type { AccessKeyDocument, AccountDocument } from '../documents/documents.ts';
import { open, sealedPlace } from '../documents/seal-for.ts';
import type { VerifiedDocument } from '../documents/signed-document.ts';
import { readStored } from '../documents/stored-document.ts';
import { ObjectError } from '../namespace/errors.ts';
import type { Caller } from '../namespace/namespace.ts';
import type { DocumentStore } from '../store/document-store.ts';

export interface KnownKey {
  readonly secret: string;
  readonly caller: Caller;
}

export interface AccessOptions {
  readonly store: Pick<DocumentStore, 'find'>;
  /** This cluster's number. */
  readonly self: number;
  /** Its own, PEM. */
  readonly privateKey: string;
  readonly log: Logger;
}

interface Entry {
  /** Undefined: there is no such key. */
  readonly key: KnownKey | undefined;
  readonly accountId: string | undefined;
}

const mostKept = 10_000;
/** Who asks for a key that is not there asks the database again only after this time. */
const absentMs = 1_000;
const keyIds = /^[A-Z0-9]{16,32}$/;

export class Access {
  readonly #options: AccessOptions;
  readonly #known = new LRUCache<string, Entry>({ max: mostKept });
  /** Rises with each document: what was read before one is not kept after it. */
  #taken = 0;
  /** The cluster was cut off from the centre for so long that a revocation may not have arrived. */
  isIsolated = false;

  constructor(options: AccessOptions) {
    this.#options = options;
  }

  /** What a document changes is read anew. */
  take({ kind, name }: Pick<VerifiedDocument, 'kind' | 'name'>): void {
    if (kind !== 'key' && kind !== 'account') return;
    this.#taken += 1;
    const of = name.slice(name.indexOf('/') + 1);
    if (kind === 'key') this.#known.delete(of);
    if (kind !== 'account') return;
    for (const [id, { accountId }] of this.#known.entries()) if (accountId === of) this.#known.delete(id);
  }

  /** Undefined: there is none, it is revoked, or its account is closed. @throws ObjectError ISOLATED */
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
      throw new ObjectError('ISOLATED', 'this cluster has not heard the centre for too long: use another cluster');
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
      log.error({ err: error, accessKeyId }, 'an access key can not be opened by this cluster');
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
