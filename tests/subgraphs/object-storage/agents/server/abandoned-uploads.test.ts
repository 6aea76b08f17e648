// Nothing is left of an abandoned multipart upload once its time is over: no register at any cluster, and no blob.
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { patience } from '../../../../support/machine/patience.ts';
import { waitFor } from '../../../../support/machine/temporary-folder.ts';
import { makeContainer, RealClusters } from '../../../../support/object-storage/real-clusters.ts';

const partsMs = 3_000;
const names = ['north', 'south', 'east'];

test(
  'an abandoned upload is removed from all clusters, with its parts and their blobs',
  async () => {
    await using cleanup = new AsyncDisposableStack();
    const clusters = await RealClusters.start(cleanup, names, names, undefined, names, {
      ...{ partsMs, uploadMs: partsMs, readingMs: 500, collectPauseMs: 500 },
    });
    const north = clusters.get('north').client();
    await makeContainer(north, 'films');
    const begun = await north.send({ method: 'POST', path: '/films/one?uploads=' });
    const [, uploadId = ''] = /<UploadId>([0-9a-f]+)</.exec(begun.text) ?? [];
    const path = `/films/one?partNumber=1&uploadId=${uploadId}`;
    const part = await north.send({ method: 'PUT', path, body: Buffer.alloc(100_000, 7) });
    expect(part.status).toBe(200);
    const left = async () => {
      const sql = 'SELECT name FROM store_register WHERE kind = 0 AND ring > 0 AND LEFT(name, 1) = CHAR(0)';
      const rows = await Promise.all(clusters.clusters.map(({ db }) => db.query(sql)));
      const blobs = await Promise.all(
        clusters.clusters.map(async ({ folder }) => {
          const found = await readdir(join(folder, 'blobs'), { recursive: true, withFileTypes: true });
          return found.filter((each) => each.isFile());
        }),
      );
      return { rows: rows.flat().length, blobs: blobs.flat().length };
    };
    await waitFor('nothing to be left', async () => {
      const { rows, blobs } = await left();
      return rows === 0 && blobs === 0;
    });
    expect((await north.send({ method: 'GET', path: '/films?uploads=' })).text).not.toContain('<Upload>');
  },
  180_000 * patience,
);
