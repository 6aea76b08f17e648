// The database is lost while a call or its outcome is journaled. Nothing is sent unless it is known to be journaled,
// and no answer of a device is lost.
import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { Database, type Transaction } from '../../../../../platform/database/database.ts';
import { CommitUncertainError } from '../../../../../platform/errors/database-errors.ts';
import { until, waitFor } from '../../../../support/machine/temporary-folder.ts';
import { element, NftDevice } from '../../support/nft-device.ts';
import { call, identity, mutations, type RelayNode, RelaySystem } from '../../support/relay-system.ts';

/** A database whose next transaction that journals a call loses its connection during COMMIT. */
class LossyDatabase extends Database {
  lose: 'no' | 'after commit' | 'before commit' = 'no';

  override transaction<Result>(
    work: (tx: Transaction) => Promise<Result>,
    options: { readonly endsWork?: boolean } = {},
  ): Promise<Result> {
    const how = this.lose;
    if (how === 'no') return super.transaction(work, options);
    let journals = false;
    return super
      .transaction(async (tx) => {
        const note = (sql: string) => {
          journals ||= /(INSERT INTO|UPDATE) operation /.test(sql);
        };
        return work({
          query: async (sql, values, options) => {
            note(sql);
            if (journals && how === 'before commit') throw new CommitUncertainError(new Error('lost'));
            return tx.query(sql, values, options);
          },
          afterCommit: (action) => tx.afterCommit(action),
          provenBy: (recordId) => tx.provenBy(recordId),
          execute: (sql, values) => {
            note(sql);
            return tx.execute(sql, values);
          },
        });
      })
      .then((result) => {
        if (!journals) return result;
        this.lose = 'no';
        throw new CommitUncertainError(new Error('lost'));
      });
  }
}

let system: RelaySystem;
let node: RelayNode;
let db: LossyDatabase;
let device: NftDevice;

beforeAll(async () => {
  system = await RelaySystem.start();
  db = new LossyDatabase({ connection: system.database.connection, connectionLimit: 20 });
  node = await system.node({ db });
  device = await NftDevice.start();
  await device.register(node, 'fw');
});
afterAll(async () => {
  await system.stop();
  await device.ssh.stop();
});
beforeEach(async () => {
  // A session is ready and nothing waits, so the next call is journaled as SENT at once.
  await call(node, 'add', element('fw', '10.9.9.9', { idempotencyKey: `warm-${performance.now()}` }));
  device.told.length = 0;
});

async function rowOf(address: string): Promise<{ state: string; errorCode: string } | undefined> {
  const rows = await node.db.query<{ state: string; errorCode: string }>(
    'SELECT state, error_code AS errorCode FROM operation WHERE object_key = ? ORDER BY id',
    [`blocked/${address}`],
  );
  return rows[0];
}

test('COMMIT of SENT interrupted after the commit: nothing is sent, the call is NOT_SENT, its key is free', async () => {
  db.lose = 'after commit';
  await expect(call(node, 'add', element('fw', '10.1.0.1'))).rejects.toThrow(
    'interrupted while it was being committed',
  );
  await until(async () => (await rowOf('10.1.0.1'))?.state !== 'SENT');
  expect(await rowOf('10.1.0.1')).toEqual({ state: 'FAILED', errorCode: 'NOT_SENT' });
  expect(device.told).toEqual([]);
  const again = await call(node, 'add', element('fw', '10.1.0.1'));
  expect(again.operation?.state).toBe('SUCCEEDED');
  expect(device.told).toHaveLength(1);
});

test('COMMIT of SENT interrupted before the commit: nothing is sent, the call is NOT_SENT, its key is free', async () => {
  db.lose = 'before commit';
  await expect(call(node, 'add', element('fw', '10.1.0.2'))).rejects.toThrow(
    'interrupted while it was being committed',
  );
  db.lose = 'no';
  // The relay's own row. An INSERT that is still in flight can't take effect any more.
  await waitFor('its row', () => rowOf('10.1.0.2'));
  expect(await rowOf('10.1.0.2')).toEqual({ state: 'FAILED', errorCode: 'NOT_SENT' });
  const again = await call(node, 'add', element('fw', '10.1.0.2'));
  expect(again.operation?.state).toBe('SUCCEEDED');
  expect(device.told).toHaveLength(1);
});

test("a verdict that can't be written is returned at once, and written when possible", async () => {
  device.hold();
  const running = node.run<{ call: unknown }>(identity('OPERATOR'), mutations.add, {
    input: element('fw', '10.1.0.3'),
  });
  await device.receives('10.1.0.3');
  await node.db.execute('RENAME TABLE operation TO operation_away');
  device.release();
  const { errors } = await running;
  expect(errors[0]?.extensions).toMatchObject({
    code: 'OUTCOME_NOT_RECORDED',
    outcome: { state: 'SUCCEEDED', result: { set: 'blocked', address: '10.1.0.3' } },
  });
  await node.db.execute('RENAME TABLE operation_away TO operation');
  await until(async () => (await rowOf('10.1.0.3'))?.state !== 'SENT');
  expect((await rowOf('10.1.0.3'))?.state).toBe('SUCCEEDED');
  const again = await call(node, 'add', element('fw', '10.1.0.3'));
  expect(again.operation?.state).toBe('SUCCEEDED');
  expect(device.timesTold('10.1.0.3')).toBe(1);
});

test('a verdict whose COMMIT was interrupted is written once', async () => {
  device.hold();
  const running = call(node, 'add', element('fw', '10.1.0.4'));
  await device.receives('10.1.0.4');
  db.lose = 'after commit';
  device.release();
  expect((await running).operation).toMatchObject({ state: 'SUCCEEDED', version: 2, evidence: [] });
});

test('after the send window nothing is sent, and the key is free', async () => {
  const late = await system.node({ settings: { sendWindowMs: -1 } });
  const other = await NftDevice.start();
  try {
    await other.register(late, 'late');
    const answer = await call(late, 'add', element('late', '10.1.0.5'));
    expect(answer.operation).toMatchObject({ state: 'FAILED', stateSource: 'NOT_SENT' });
    expect(answer.operation?.deviceError).toMatchObject({
      code: 'NOT_SENT',
      message: expect.stringMatching(/WINDOW_PASSED/),
    });
    const again = await call(late, 'add', element('late', '10.1.0.5'));
    expect(again.operation?.id).not.toBe(answer.operation?.id);
    expect(other.ssh.commands).toEqual([]);
    expect(await node.db.query('SELECT * FROM operation WHERE claim IS NOT NULL')).toEqual([]);
  } finally {
    await late.stop();
    await other.ssh.stop();
  }
});

test('a late reply settles a call that recovery had made UNKNOWN; evidence against a verdict is kept beside it', async () => {
  const operator = identity('OPERATOR');
  device.hold();
  const running = call(node, 'add', element('fw', '10.1.0.6', { waitMs: 0 }));
  await device.receives('10.1.0.6');
  const sent = (await running).operation;
  await node.db.execute("UPDATE operation SET state = 'UNKNOWN', version = version + 1 WHERE state = 'SENT'");
  device.release();
  const late = await call(node, 'add', element('fw', '10.1.0.6'));
  await until(async () => (await rowOf('10.1.0.6'))?.state !== 'UNKNOWN');
  expect(late.operation?.id).toBe(sent?.id);
  expect((await rowOf('10.1.0.6'))?.state).toBe('SUCCEEDED');

  device.hold();
  const second = call(node, 'add', element('fw', '10.1.0.7', { waitMs: 0 }));
  await device.receives('10.1.0.7');
  const id = (await second).operation?.id;
  await node.db.execute("UPDATE operation SET state = 'UNKNOWN', version = version + 1 WHERE state = 'SENT'");
  const settled = await node.run<{ settle: { operation: { state: string } } }>(operator, mutations.settle, {
    input: { id, verdict: 'FAILED', note: 'looked', force: true },
  });
  expect(settled.data.settle.operation.state).toBe('FAILED');
  device.release();
  const findings = await waitFor('the evidence of the reply', async () => {
    const { data } = await node.run<{ relayOperation: { state: string; evidence: unknown[] } }>(
      operator,
      'query ($id: ID!) { relayOperation(id: $id) { state evidence { source finding } } }',
      { id },
    );
    return data.relayOperation.evidence.length >= 2 && data.relayOperation;
  });
  expect(findings).toEqual({
    state: 'FAILED',
    evidence: [
      { source: 'OPERATOR', finding: 'FAILED' },
      { source: 'REPLY', finding: 'SUCCEEDED' },
    ],
  });
});

test('concurrent calls on free slots do not queue behind each other', async () => {
  const wide = await NftDevice.start();
  try {
    await wide.register(node, 'wide', { limits: { concurrency: 16 } });
    const batch = (round: number) =>
      Promise.all(
        Array.from({ length: 16 }, (_, index) => call(node, 'add', element('wide', `10.4.${round}.${index}`))),
      );
    await batch(0);
    const answers = await batch(1);
    expect(answers.every((each) => each.operation?.state === 'SUCCEEDED')).toBe(true);
    // Version 2 means two writes: SENT and the outcome. On an overloaded machine some calls may have had to wait.
    expect(answers.filter((each) => each.operation?.version === 2).length).toBeGreaterThan(8);
  } finally {
    await wide.ssh.stop();
  }
});

test('a waiting call whose client was notified is not overtaken', async () => {
  const narrow = await NftDevice.start();
  try {
    await narrow.register(node, 'order', { limits: { concurrency: 1 } });
    await call(node, 'add', element('order', '10.5.0.1'));
    narrow.hold();
    const first = call(node, 'add', element('order', '10.5.0.2'));
    await narrow.receives('10.5.0.2');
    for (const number of [3, 4, 5]) {
      const told = await call(node, 'add', element('order', `10.5.0.${number}`, { waitMs: 0 }));
      expect(told.operation?.state).toBe('PENDING');
    }
    const last = call(node, 'add', element('order', '10.5.0.6'));
    narrow.release();
    await Promise.all([first, last]);
    const order = narrow.told.map((stdin) => /10\.5\.0\.\d/.exec(stdin)?.[0]);
    expect(order).toEqual([1, 2, 3, 4, 5, 6].map((number) => `10.5.0.${number}`));
  } finally {
    await narrow.ssh.stop();
  }
});

test('a full queue is BUSY; waiting calls are sent in order, one at a time', async () => {
  const narrow = await NftDevice.start();
  try {
    await narrow.register(node, 'narrow', { limits: { concurrency: 1, queueLimit: 3 } });
    await call(node, 'add', element('narrow', '10.2.0.1'));
    narrow.hold();
    const first = call(node, 'add', element('narrow', '10.2.0.2'));
    await narrow.receives('10.2.0.2');
    const waiting = [];
    for (const number of [3, 4, 5]) {
      waiting.push(call(node, 'add', element('narrow', `10.2.0.${number}`)));
      await waitFor('its row', () => rowOf(`10.2.0.${number}`));
    }
    const busy = await call(node, 'add', element('narrow', '10.2.0.6'));
    expect(busy.userErrors).toMatchObject([{ code: 'BUSY', field: ['input', 'backend'], retry: 'SAME_KEY' }]);
    narrow.release();
    const states = (await Promise.all([first, ...waiting])).map((each) => each.operation?.state);
    expect(states).toEqual(['SUCCEEDED', 'SUCCEEDED', 'SUCCEEDED', 'SUCCEEDED']);
    const order = narrow.told.map((stdin) => /10\.2\.0\.\d/.exec(stdin)?.[0]);
    expect(order).toEqual(['10.2.0.1', '10.2.0.2', '10.2.0.3', '10.2.0.4', '10.2.0.5']);
    expect(narrow.ssh.mostRunning).toBe(1);
    const later = await call(node, 'add', element('narrow', '10.2.0.6'));
    expect(later.operation?.state).toBe('SUCCEEDED');
  } finally {
    await narrow.ssh.stop();
  }
});

test('after a failover that lost writes a non-idempotent call with an unknown key is refused', async () => {
  const rule = { backend: { name: 'fw' }, name: 'once', action: 'DROP' };
  const seen = await call(node, 'ruleCreate', { ...rule, idempotencyKey: 'seen' });
  expect(seen.operation?.state).toBe('SUCCEEDED');
  await node.db.execute('INSERT INTO db_timeline (epoch, lossy) VALUES (2, 1)');
  const replay = await call(node, 'ruleCreate', { ...rule, name: 'other', idempotencyKey: 'unseen' });
  expect(replay.userErrors).toMatchObject([{ code: 'REPLAY_UNCERTAIN', retry: 'NEVER' }]);
  const known = await call(node, 'ruleCreate', { ...rule, idempotencyKey: 'seen' });
  expect(known.operation?.id).toBe(seen.operation?.id);
  const idempotent = await call(node, 'add', element('fw', '10.3.0.1'));
  expect(idempotent.operation?.state).toBe('SUCCEEDED');
});
