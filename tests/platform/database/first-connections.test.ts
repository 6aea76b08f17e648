// The first connections of a process, to a server that is too busy to answer in time.
import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { Database } from '../../../platform/database/database.ts';
import { connectFirst } from '../../../platform/database/first-connections.ts';
import { type TemporaryFolder, temporaryFolder } from '../../support/machine/temporary-folder.ts';
import { type TestDatabase, testDatabase } from '../../support/stores/database.ts';

let database: TestDatabase;
let folder: TemporaryFolder;

beforeAll(async () => {
  [database, folder] = await Promise.all([testDatabase({ migrated: false }), temporaryFolder()]);
});
afterAll(async () => {
  await Promise.all([database.drop(), folder.remove()]);
});

/** Counts its connection attempts. */
class CountedDatabase extends Database {
  attempts = 0;
  onAttempt: (count: number) => void = () => undefined;

  override connect(): Promise<void> {
    this.attempts += 1;
    this.onAttempt(this.attempts);
    return super.connect();
  }
}

test('a start waits for a server that is slow to answer, until the start is aborted', async () => {
  const socketPath = join(folder.path, 'slow.sock');
  const waiting: Socket[] = [];
  const sockets = new Set<Socket>();
  let isSlow = true;
  const forward = (client: Socket) => {
    const server = connect(database.connection.socketPath);
    for (const each of [client, server]) sockets.add(each.on('error', () => undefined));
    client.pipe(server).pipe(client);
  };
  const front = createServer((client) => {
    if (isSlow) waiting.push(client.on('error', () => undefined));
    else forward(client);
  }).listen(socketPath);
  await once(front, 'listening');
  const db = new CountedDatabase({ connection: { ...database.connection, socketPath }, acquireTimeoutMs: 150 });
  try {
    const giveUp = new AbortController();
    db.onAttempt = (count) => count === 2 && giveUp.abort(new Error('given up'));
    await expect(connectFirst(db, giveUp.signal)).rejects.toThrow('given up');
    db.onAttempt = (count) => {
      if (count < 4) return;
      isSlow = false;
      for (const client of waiting.splice(0)) forward(client);
    };
    await connectFirst(db, new AbortController().signal);
    expect(await db.query('SELECT 1 AS one')).toEqual([{ one: 1 }]);
    // One connection of each kind.
    expect(db.poolFigures().total).toBeGreaterThanOrEqual(4);
  } finally {
    await db.close();
    for (const each of [...waiting, ...sockets]) each.destroy();
    front.close();
  }
});

test('a refused login is not tried again', async () => {
  const refused = [
    { ...database.connection, socketPath: join(folder.path, 'none.sock') },
    { ...database.connection, password: 'wrong' },
  ];
  for (const connection of refused) {
    const db = new CountedDatabase({ connection, acquireTimeoutMs: 150 });
    await expect(connectFirst(db, new AbortController().signal)).rejects.toThrow();
    expect(db.attempts).toBe(1);
    await db.close();
  }
});

test('a refusal after a slow attempt is reported, and not retried forever', async () => {
  const socketPath = join(folder.path, 'slow-once.sock');
  const sockets = new Set<Socket>();
  let isSlow = true;
  const front = createServer((client) => {
    sockets.add(client.on('error', () => undefined));
    if (isSlow) return;
    const server = connect(database.connection.socketPath).on('error', () => undefined);
    sockets.add(server);
    client.pipe(server).pipe(client);
  }).listen(socketPath);
  await once(front, 'listening');
  const wrong = { ...database.connection, socketPath, password: 'wrong' };
  const db = new CountedDatabase({ connection: wrong, acquireTimeoutMs: 150 });
  const giveUp = new AbortController();
  db.onAttempt = (count) => {
    isSlow = count === 1;
    if (count === 200) giveUp.abort(new Error('given up'));
  };
  try {
    await expect(connectFirst(db, giveUp.signal)).rejects.toThrow('Access denied');
  } finally {
    await db.close();
    for (const each of sockets) each.destroy();
    front.close();
  }
});
