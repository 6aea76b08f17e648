// Changes of `sync` by the primary. etcd accepts each only while this host still leads and `sync` is unchanged since it was read.

import type { Change, EtcdClient } from '../../etcd.ts';
import type { HaKeys } from '../keys.ts';
import type { SyncSet, View } from '../view.ts';

/** A view together with the revision at which its lead was read. */
export interface Seen extends View {
  readonly leaderRevision: number;
}

type Read = Pick<Seen, 'shared' | 'reign' | 'leaderRevision'>;
type Edit = (sync: SyncSet, reign: string) => SyncSet;

export class SyncWriter {
  readonly #etcd: Pick<EtcdClient, 'transact'>;
  readonly #keys: Pick<HaKeys, 'leader' | 'sync'>;
  #sealedRevision: number | undefined;

  constructor(etcd: Pick<EtcdClient, 'transact'>, keys: Pick<HaKeys, 'leader' | 'sync'>) {
    this.#etcd = etcd;
    this.#keys = keys;
  }

  /** The revision of this agent's own last change. Undefined after an admission, because one without an answer may still be executed. */
  get sealedRevision(): number | undefined {
    return this.#sealedRevision;
  }

  /** `others`: further changes of the same transaction. Changes nothing without a lead. */
  async change(seen: Read, revision: number, edit: Edit, others: readonly Change[] = []): Promise<void> {
    const { sync, leader } = seen.shared ?? {};
    if (sync === undefined || leader === undefined || seen.reign === undefined) return;
    const { revision: _read, ...plain } = sync;
    const value = JSON.stringify(edit(plain, seen.reign.id));
    const result = await this.#etcd.transact(
      [
        { key: this.#keys.leader, revision: seen.leaderRevision },
        { key: this.#keys.sync, revision },
      ],
      [{ put: this.#keys.sync, value }, ...others],
    );
    if (result.done) this.#sealedRevision = result.revision;
  }

  /** Makes that host the member. Commits may be released only after another change, because this one may fail here and succeed in etcd. */
  async admit(seen: Read, revision: number, member: SyncSet['members'][number]): Promise<void> {
    this.#sealedRevision = undefined;
    await this.change(seen, revision, (sync) => ({ ...sync, members: [member] }));
    this.#sealedRevision = undefined;
  }
}
