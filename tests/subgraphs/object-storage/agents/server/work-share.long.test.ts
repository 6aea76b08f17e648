// One server of a cluster does the work that needs only one, and another takes over when it is gone.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { expect, test } from '@jest/globals';
import { pino } from 'pino';
import { Database } from '../../../../../platform/database/database.ts';
import { WorkShare } from '../../../../../subgraphs/object-storage/agents/server/work-share.ts';
import { patience } from '../../../../support/machine/patience.ts';
import { waitFor } from '../../../../support/machine/temporary-folder.ts';
import { makeContainer, RealClusters } from '../../../../support/object-storage/real-clusters.ts';
import { storeDatabase } from '../../engine/store/store-database.ts';

const log = pino({ level: 'silent' });

test(
  'work has one holder; another takes it after a kill, and at once after a stop',
  async () => {
    await using cleanup = new AsyncDisposableStack();
    const connection = await storeDatabase(cleanup);
    const program = join(import.meta.dirname, 'sharing-process.ts');
    const child = spawn(process.execPath, [program, JSON.stringify(connection)], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    cleanup.defer(() => void child.kill('SIGKILL'));
    const [line] = await once(createInterface({ input: child.stdout }), 'line');
    expect(line).toBe('mine');
    const db = new Database({ connection });
    cleanup.defer(() => db.close());
    const [one, two] = [new WorkShare({ db, log }), new WorkShare({ db, log })];
    cleanup.defer(() => two.stop());
    expect(await one.isMine('collect blobs')).toBe(false);
    // Each piece has a holder.
    expect(await one.isMine('settle seals')).toBe(true);
    child.kill('SIGKILL');
    await waitFor('the lease to end', () => one.isMine('collect blobs'));
    expect(await one.isMine('collect blobs')).toBe(true);
    expect(await two.isMine('collect blobs')).toBe(false);
    await one.stop();
    expect(await two.isMine('collect blobs')).toBe(true);
  },
  60_000 * patience,
);

test(
  'of two servers of a cluster one does all of the work, and the other continues when it is gone',
  async () => {
    await using cleanup = new AsyncDisposableStack();
    const names = ['north', 'south', 'east'];
    const times = { uploadMs: 2_000, readingMs: 500, collectPauseMs: 500 };
    const clusters = await RealClusters.start(cleanup, names, names, undefined, names, times);
    const [north, south] = [clusters.get('north'), clusters.get('south').client()];
    const ownersOf = () =>
      north.db.query<{ owner: string }>(
        "SELECT owner FROM lease WHERE name LIKE 'object-store %' AND expires_at > NOW(3)",
      );
    const holder = () =>
      waitFor('one holder', async () => {
        const rows = await ownersOf();
        const owners = new Set(rows.map(({ owner }) => owner));
        return rows.length === 5 && owners.size === 1 ? [...owners][0] : undefined;
      });
    const first = await holder();
    const another = await north.startAnother();
    cleanup.defer(() => another.stop());
    expect(await holder()).toBe(first);
    const body = Buffer.alloc(100_000, 7);
    await makeContainer(south, 'films');
    expect((await south.send({ method: 'PUT', path: '/films/one', body })).status).toBe(200);
    const blobs = async () => {
      const found = await readdir(join(north.folder, 'blobs'), { recursive: true, withFileTypes: true });
      return found.filter((each) => each.isFile()).length;
    };
    await waitFor('the blob at north', async () => (await blobs()) === 1);
    await north.stop();
    expect((await south.send({ method: 'DELETE', path: '/films/one' })).status).toBe(204);
    await waitFor('the other server to collect it', async () => (await blobs()) === 0);
    await waitFor('it to hold all', async () => (await holder()) !== first);
    expect(another.collected).toBe(1);
  },
  180_000 * patience,
);
