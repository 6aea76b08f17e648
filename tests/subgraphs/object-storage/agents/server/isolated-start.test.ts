// A server starts in a cluster that has been without the control plane for too long. A revoked key must not work even
// at first.
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from '@jest/globals';
import { patience } from '../../../../support/machine/patience.ts';
import { RealClusters } from '../../../../support/object-storage/real-clusters.ts';

test(
  'it serves no user before it knows how long the control plane has been silent',
  async () => {
    await using cleanup = new AsyncDisposableStack();
    const clusters = await RealClusters.start(cleanup, ['north']);
    const north = clusters.get('north');
    const list = () => north.client().send({ method: 'GET', path: '/' });
    expect((await list()).status).toBe(200);
    await north.stop();
    await north.db.execute(
      "INSERT INTO store_counter (name, number) VALUES ('heard', FLOOR(UNIX_TIMESTAMP(NOW(3) - INTERVAL 2 DAY) * 1000))",
    );
    const query = north.db.query.bind(north.db);
    // Delays the database's answer to this query.
    north.db.query = async (...asked: Parameters<typeof query>) => {
      if (asked[0].includes("'heard'")) await sleep(1_000);
      return query(...asked) as never;
    };
    await north.start();
    expect(await list()).toMatchObject({ status: 503, code: 'ServiceUnavailable' });
  },
  60_000 * patience,
);
