// The effects of a checker's connection on the conductor.
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import type { Database } from '../../../../../platform/database/database.ts';
import type { LinkPeer } from '../../../../../platform/link/link-server.ts';
import { egressFrom, KnownListeners } from '../../../../../platform/net/egress.ts';
import { newUuid } from '../../../../../platform/values/ids.ts';
import type { JsonValue } from '../../../../../platform/values/json.ts';
import { CheckerSessions } from '../../../../../subgraphs/gslb/control/checkers/checker-sessions.ts';
import { lockVantagePoints, shareAnew } from '../../../../../subgraphs/gslb/control/stores/vantage-store.ts';
import { TargetTable } from '../../../../../subgraphs/gslb/control/targets/target-table.ts';
import { batchKey, grantDocument, grantKey } from '../../../../../subgraphs/gslb/wire/checker-wire.ts';
import { waitFor } from '../../../../support/machine/temporary-folder.ts';
import { GslbPlace, type TestChecker } from '../../support/gslb-place.ts';

let place: GslbPlace;
/** Cleanup of a test, run whether it passed or not. */
let onEnd: (() => Promise<unknown>)[];

beforeEach(async () => {
  onEnd = [];
  place = await GslbPlace.open();
});
afterEach(async () => {
  for (const end of onEnd) await end();
  await place.close();
});

type Sent = Parameters<LinkPeer['send']>[0];

function peerOf(id: string, sent: Sent[]): LinkPeer {
  return {
    machine: { id, name: 'eu-1', role: 'checker' },
    facts: { vantagePoint: 'eu', version: 'test', plugins: ['TCP'] },
    held: new Map(),
    send: (message) => sent.push(message),
    ask: () => Promise.reject(new Error('nobody asks')),
    taken: () => Promise.resolve(),
    close: (reason) => {
      throw new Error(reason);
    },
  };
}

test('a checker counts as present while it waits for another incarnation', async () => {
  const { db, wake, log, egress, sealer, owner } = place.ground;
  await place.vantagePointWithout('eu');
  await place.member('one');
  let holds = false;
  let release: () => void = () => undefined;
  const until = new Promise<void>((resolve) => {
    release = resolve;
  });
  // Delays the session's reads, not its writes.
  const slow = new Proxy(db, {
    get(target, property) {
      if (property === 'query')
        return async (...asked: Parameters<Database['query']>) => {
          if (holds) await until;
          return target.query(...asked);
        };
      const value: unknown = Reflect.get(target, property);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  }) as Database;
  const targets = new TargetTable({ db, wake, log, egress, sealer });
  targets.start();
  const sessions = new CheckerSessions({ ...place.dependencies, heartbeatMs: 50, db: slow, log, owner, targets });
  const sent: Sent[] = [];
  const id = newUuid();
  await place.record(id, 'eu');
  const incarnation = () => {
    const grant = sent.findLast((each) => each.type === 'document' && each.key === grantKey);
    return grant?.type === 'document' ? grantDocument.parse(grant.document).incarnation : undefined;
  };
  const session = await sessions.open(peerOf(id, sent));
  onEnd.push(
    () => session.closed(),
    () => targets.stop(),
  );
  session.begin();
  await waitFor('all to be sent', () => sent.some(({ type }) => type === 'whole'));
  const checker: TestChecker = { id, vantagePoint: 'eu', incarnation: session.epoch, number: 0 };
  const batch = await place.batch(checker, {});
  holds = true;
  await db.transaction(async (tx) => {
    const [eu] = await tx.query<{ id: string }>("SELECT id FROM gslb_vantage_point WHERE name = 'eu'");
    for (const row of await lockVantagePoints(tx, [eu?.id ?? ''])) await shareAnew(tx, wake, row, [id]);
  });
  const reported = session.report(batchKey, batch as unknown as JsonValue);
  for (let time = 0; time < 3; time += 1) {
    await db.execute('UPDATE gslb_checker SET heard_at = NULL WHERE id = ?', [id]);
    await waitFor(
      'it to be heard',
      async () => (await place.count('SELECT COUNT(*) AS n FROM gslb_checker WHERE id = ? AND heard_at > 0', [id])) > 0,
    );
  }
  expect(incarnation()).toBe(session.epoch);
  holds = false;
  release();
  await reported;
  expect(incarnation()).toBe(session.epoch + 1);
});

test('a connected checker gets changes of the egress policy', async () => {
  const { db, wake, log, sealer, owner } = place.ground;
  await place.vantagePointWithout('eu');
  const [own, lab] = [new KnownListeners(), new KnownListeners()];
  const egress = egressFrom({ deny: ['198.18.0.0/15'] }, own, lab);
  const targets = new TargetTable({ db, wake, log, egress, sealer });
  targets.start();
  const sessions = new CheckerSessions({ ...place.dependencies, db, egress, log, owner, targets });
  const sent: Sent[] = [];
  const id = newUuid();
  await place.record(id, 'eu');
  const granted = () =>
    sent.flatMap((each) =>
      each.type === 'document' && each.key === grantKey ? [grantDocument.parse(each.document).egress] : [],
    );
  const session = await sessions.open(peerOf(id, sent));
  onEnd.push(
    () => session.closed(),
    () => targets.stop(),
  );
  session.begin();
  await waitFor('all to be sent', () => sent.some(({ type }) => type === 'whole'));
  expect(granted()).toEqual([{ allow: [], deny: ['198.18.0.0/15'], own: [] }]);
  lab.replace(['198.19.0.2:80']);
  await waitFor('a second grant', () => granted().length === 2);
  expect(granted()[1]).toEqual({ allow: ['198.19.0.2:80'], deny: ['198.18.0.0/15'], own: [] });
  own.replace(['192.0.2.1:443']);
  await waitFor('a third grant', () => granted().length === 3);
  expect(granted()[2]?.own).toEqual(['192.0.2.1:443']);
});
