// Object storage clusters in the trial of restores: the control plane's database is restored while the clusters keep serving. Afterwards
// each of them has exactly the control plane's documents, a revoked key opens none of them, and no generation stands for two documents.

import { RevivedAccess } from '../../platform/restore/revived-access.ts';
import { readRestoreState } from '../../platform/restore/timelines.ts';
import { decodeId } from '../../platform/values/ids.ts';
import { accessKeys } from '../../subgraphs/object-storage/control/accounts/access-key-end.ts';
import { documentsAfter } from '../../subgraphs/object-storage/control/stores/document-store.ts';
import { DocumentStore } from '../../subgraphs/object-storage/engine/store/document-store.ts';
import { identity } from '../../tests/subgraphs/object-storage/support/control-graph.ts';
import { Federation } from '../../tests/subgraphs/object-storage/support/federation.ts';
import { waitFor } from '../../tests/support/machine/temporary-folder.ts';
import { S3TestClient } from '../../tests/support/object-storage/s3-client.ts';
import { backUp } from '../../tests/support/stores/backup.ts';
import { untilTrue } from '../until.ts';
import {
  type Found,
  guardOf,
  lift,
  mostMs,
  notice,
  type RestoredPlace,
  revokedMemory,
  type TrialOfRestore,
} from './place.ts';

const names = ['north', 'south'];
const servedMs = 20_000;

interface Key {
  readonly id: string;
  readonly accessKeyId: string;
  readonly secret: string;
}

export class ClustersPlace implements RestoredPlace {
  readonly #federation: Federation;
  readonly #folder: string;
  /** By history and generation. */
  readonly #told = new Map<string, string>();

  private constructor(federation: Federation, folder: string) {
    this.#federation = federation;
    this.#folder = folder;
  }

  static async open(folder: string): Promise<ClustersPlace> {
    const federation = await Federation.start(names);
    await federation.graph.make('objectOptionCreate', { name: 'standard', replicas: 2 });
    return new ClustersPlace(federation, folder);
  }

  stop(): Promise<void> {
    return this.#federation.stop();
  }

  async trial({ number, random, most }: TrialOfRestore): Promise<Found> {
    const { graph } = this.#federation;
    const { db, wake, log } = graph;
    const diverged: string[] = [];
    const isSame = () => this.#isSame(diverged);
    await using cleanup = new AsyncDisposableStack();
    const guard = await guardOf(graph, this.#folder);
    cleanup.defer(() => guard.stop());
    const memory = revokedMemory(this.#folder);
    const access = new RevivedAccess({ db, wake, log, memories: [memory], access: accessKeys });
    await access.start();
    cleanup.defer(() => access.stop());
    const [kept, revoked] = [await this.#makeKey(`kept-${number}`), await this.#makeKey(`revoked-${number}`)];
    await waitFor('the documents before the backup', isSame);
    await waitFor('the keys to open', async () => (await this.#opens(kept)) && (await this.#opens(revoked)));
    const backup = await backUp(graph.place);
    cleanup.defer(() => backup.remove());

    const changes = random.integer(1, Math.min(most, 20));
    const late: Key[] = [];
    for (let count = 0; count < changes; count += 1) late.push(await this.#makeKey(`late-${number}-${count}`));
    await this.#revoke(revoked);
    await waitFor('the documents after the backup', isSame);
    const { installation } = await readRestoreState(db);
    const revokedId = decodeId(revoked.id)?.key ?? '-';
    await waitFor('the revocation to be remembered', async () =>
      Object.keys(await memory.read(installation)).some((field) => field.includes(revokedId)),
    );
    const away = random.next() < 0.5 ? names[random.integer(0, 1)] : undefined;
    if (away !== undefined) await this.#federation.away(away);
    await backup.restore();
    const noticed = await notice(db);
    if (away !== undefined) await this.#federation.back(away);
    const sinceMs = performance.now();
    const isServed = await untilTrue(servedMs, isSame);
    const staleAfterMs = Math.round(performance.now() - sinceMs);
    const isEnded = await untilTrue(servedMs, async () => !(await this.#opensAny(revoked)));
    const isOpen = await untilTrue(servedMs, () => this.#opens(kept));
    const unknown = await Promise.all(late.map((key) => this.#opensAny(key)));
    // The first one of the new history.
    const next = await this.#makeKey(`next-${number}`);
    const isNext = await untilTrue(servedMs, async () => (await this.#opens(next)) && (await isSame()));
    await lift(db);
    for (const key of [kept, next]) await this.#revoke(key);
    await untilTrue(mostMs, isSame);
    return {
      ...{ changes, ...noticed, staleAfterMs, diverged: diverged.length + (isServed ? 0 : 1) },
      revived: (isEnded ? 0 : 1) + unknown.filter(Boolean).length,
      activeButNotServed: (isOpen ? 0 : 1) + (isNext ? 0 : 1),
    };
  }

  /** Whether each cluster has the control plane's documents and no others. Compares all documents with one generation of one history. */
  async #isSame(diverged: string[]): Promise<boolean> {
    const { graph, clusters } = this.#federation;
    const wanted = (await documentsAfter(graph.db, 0, 100_000))
      .filter(({ body }) => body !== 'null')
      .map(({ name, generation }) => `${name} ${generation}`)
      .sort();
    let isSame = true;
    for (const { db } of clusters.values()) {
      const store = new DocumentStore(db);
      const history = (await store.position())?.history;
      const present: string[] = [];
      for await (const { kind, key, generation, body } of store.all()) {
        // Deleted, or void since the database was restored.
        if (body === 'null') continue;
        const at = `${history} ${generation}`;
        const text = `${kind}/${key} ${body}`;
        const before = this.#told.get(at) ?? text;
        if (before !== text && !diverged.includes(at)) diverged.push(at);
        this.#told.set(at, before);
        present.push(`${key === '' ? kind : `${kind}/${key}`} ${generation}`);
      }
      isSame &&= present.sort().join('\n') === wanted.join('\n');
    }
    return isSame;
  }

  async #makeKey(name: string): Promise<Key> {
    const { made } = await this.#federation.graph.ask<{
      made: { objectAccessKey: { id: string; accessKeyId: string }; secret: string };
    }>(
      'mutation ($name: String!) { made: objectAccessKeyCreate(input: { name: $name }) { objectAccessKey { id accessKeyId } secret } }',
      { name },
      identity('OPERATOR'),
    );
    return { ...made.objectAccessKey, secret: made.secret };
  }

  async #revoke({ id }: Key): Promise<void> {
    await this.#federation.graph.ask(
      'mutation ($id: ID!) { objectAccessKeyRevoke(input: { id: $id }) { userErrors { code } } }',
      { id },
      identity('OPERATOR'),
    );
  }

  async #opens(key: Key): Promise<boolean> {
    return (await this.#statuses(key)).every((status) => status === 200);
  }

  async #opensAny(key: Key): Promise<boolean> {
    return (await this.#statuses(key)).some((status) => status !== 403);
  }

  #statuses({ accessKeyId, secret }: Key): Promise<readonly number[]> {
    const credentials = { accessKeyId, secret };
    return Promise.all(
      names.map(async (name) => {
        const client = new S3TestClient({ url: this.#federation.url(name), credentials });
        return (await client.send({ method: 'GET', path: '/' })).status;
      }),
    );
  }
}
