// Authenticates users by token. Tokens are checked against the local documents, without asking the control plane or the cluster that
// signed.
import { createPublicKey, type KeyObject } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import type { Logger } from '../../../../platform/log/log.ts';
import { decodeUuid } from '../../../../platform/values/ids.ts';
import type { Caller } from '../../engine/namespace/namespace.ts';
import type { Tokens } from '../../engine/s3/access-ports.ts';
import type { DocumentStore } from '../../engine/store/document-store.ts';
import { type VerifiedToken, verifyToken } from '../../wire/cluster-tokens.ts';
import type { AccountDocument } from '../../wire/documents/documents.ts';
import type { VerifiedDocument } from '../../wire/documents/signed-document.ts';
import { readStored } from '../../wire/documents/stored-document.ts';
import { ObjectError } from '../../wire/object-error.ts';

interface TokenAccessOptions {
  readonly store: Pick<DocumentStore, 'find'>;
  /** Throws when this cluster has been without the control plane for too long. @throws ObjectError ISOLATED */
  readonly mustNotBeIsolated: () => void;
  readonly log: Logger;
  readonly nowMs?: (() => number) | undefined;
}

const mostKept = 10_000;

export class TokenAccess implements Tokens {
  readonly #options: TokenAccessOptions;
  readonly #accounts = new LRUCache<string, AccountDocument>({ max: mostKept });
  #keys: ReadonlyMap<number, KeyObject> = new Map();
  /** Incremented with each document: a value read before a document arrived is not cached after it. */
  #taken = 0;

  constructor(options: TokenAccessOptions) {
    this.#options = options;
  }

  take(document: VerifiedDocument): void {
    if (document.kind === 'clusters') this.#keys = this.#keysIn(document.body?.clusters ?? []);
    if (document.kind !== 'account') return;
    this.#taken += 1;
    this.#accounts.delete(document.name.slice(document.name.indexOf('/') + 1));
  }

  async verify(token: string, project?: string): Promise<Caller | undefined> {
    const { mustNotBeIsolated, nowMs = Date.now } = this.#options;
    mustNotBeIsolated();
    const verified = await verifyToken(token, (cluster) => this.#keys.get(cluster), nowMs());
    if (verified === undefined) return undefined;
    const account = await this.#chosen(verified, project);
    return { accountId: account.id, canWrite: verified.accounts[account.id] === true, name: verified.name };
  }

  async #chosen({ accounts }: VerifiedToken, project: string | undefined): Promise<AccountDocument> {
    const found = (await Promise.all(Object.keys(accounts).map((id) => this.#account(id)))).filter(
      (account) => account?.state === 'ACTIVE',
    ) as AccountDocument[];
    if (project !== undefined) {
      const uuid = decodeUuid('Project', project) ?? project;
      // A project may be named like the id of another one.
      const chosen =
        found.find(({ id, projectId }) => id === uuid || projectId === uuid) ??
        found.find(({ name }) => name === project);
      if (chosen !== undefined) return chosen;
      throw new ObjectError('NOT_ALLOWED', `the token is not for a project ${JSON.stringify(project.slice(0, 80))}`);
    }
    const [only, ...others] = found;
    if (only === undefined) throw new ObjectError('NOT_ALLOWED', 'no project of the token has objects any more');
    if (others.length === 0) return only;
    const names = found.slice(0, 10).map(({ name }) => name);
    throw new ObjectError(
      'NOT_ALLOWED',
      `the token is for ${found.length} projects (${names.join(', ')}${found.length > 10 ? ', …' : ''}): name one in the header x-tidegate-project`,
    );
  }

  async #account(id: string): Promise<AccountDocument | undefined> {
    const known = this.#accounts.get(id);
    if (known !== undefined) return known;
    const before = this.#taken;
    const stored = await this.#options.store.find('account', id);
    const document = stored && readStored(stored);
    const account = document?.kind === 'account' ? document.body : undefined;
    if (account !== undefined && this.#taken === before) this.#accounts.set(id, account);
    return account;
  }

  #keysIn(clusters: readonly { readonly number: number; readonly publicKey: string | null }[]): Map<number, KeyObject> {
    const keys = new Map<number, KeyObject>();
    for (const { number, publicKey } of clusters) {
      if (publicKey === null) continue;
      try {
        keys.set(number, createPublicKey(publicKey));
      } catch (error) {
        this.#options.log.error({ err: error, cluster: number }, 'cannot read the public key of a cluster');
      }
    }
    return keys;
  }
}
