// Connections to one server that this side ends. No message goes to the server, because another server may have its address now.

import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { type Connection, createConnection } from 'mariadb';
import { openDataFolder } from '../../../embedded/data-folder.ts';
import { type EmbeddedMariadb, startMariadb } from '../../../embedded/mariadb.ts';
import { silentLog } from '../../../embedded/setup-log.ts';
import { type DatabaseLocation, ServerPools } from '../../../platform/database/server-pools.ts';
import { isConnectionLost } from '../../../platform/errors/database-errors.ts';
import { makeCertificate } from '../../../platform/net/certificates.ts';
import { freePort } from '../../support/machine/free-port.ts';
import { type TemporaryFolder, temporaryFolder, waitFor } from '../../support/machine/temporary-folder.ts';

let folder: TemporaryFolder;
let server: EmbeddedMariadb;
let root: Connection;
let places: Record<'socket' | 'TLS', DatabaseLocation>;

beforeAll(async () => {
  folder = await temporaryFolder();
  const issuer = await makeCertificate({ commonName: 'Databases', use: 'authority' });
  const { cert, key } = await makeCertificate({ commonName: 'a', names: ['127.0.0.1'], issuer, use: 'server' });
  await writeFile(join(folder.path, 'cert.pem'), cert);
  await writeFile(join(folder.path, 'key.pem'), key, { mode: 0o644 });
  const port = await freePort();
  server = await startMariadb({
    folder: await openDataFolder(join(folder.path, 'data'), { version: 1 }),
    log: silentLog,
    extraArguments: [
      ...['--skip-networking=OFF', '--bind-address=127.0.0.1', `--port=${port}`],
      ...[`--ssl-cert=${join(folder.path, 'cert.pem')}`, `--ssl-key=${join(folder.path, 'key.pem')}`],
    ],
  });
  root = await createConnection(server.rootConnection);
  await root.query("CREATE USER 'remote'@'127.0.0.1' IDENTIFIED BY 'remote' REQUIRE SSL");
  await root.query(`GRANT ALL ON \`${server.application.database}\`.* TO 'remote'@'127.0.0.1'`);
  const remote = { user: 'remote', password: 'remote', database: server.application.database };
  places = { socket: server.application, TLS: { ...remote, host: '127.0.0.1', port, tls: { ca: issuer.cert } } };
});

afterAll(async () => {
  await root.end();
  await server.stop();
  await folder.remove();
});

// Three of the connections are for reads.
const sizes = { connectionLimit: 15, acquireTimeoutMs: 5_000, preparedKept: 0, readTimeoutMs: 5_000 };

async function count(status: string): Promise<number> {
  const [row] = await root.query<{ Value: string }[]>(`SHOW GLOBAL STATUS LIKE '${status}'`);
  return Number(row?.Value);
}

function running(comment: string): Promise<{ readonly id: number }[]> {
  return root.query(`SELECT id FROM information_schema.processlist WHERE info LIKE 'SELECT /* ${comment} */%'`);
}

test.each(['socket', 'TLS'] as const)(
  'a cut over %s ends running and waiting statements at once, and kills nothing',
  async (way) => {
    let ended = 0;
    const onEnd = () => {
      ended += 1;
    };
    const pools = new ServerPools(places[way], sizes, { epoch: 0, onEnd });
    const cipher = await pools.reads.query<{ Value: string }[]>("SHOW STATUS LIKE 'Ssl_cipher'");
    expect(cipher[0]?.Value !== '').toBe(way === 'TLS');
    // More statements than the pool has connections.
    const asked = [1, 2, 3, 4].map((number) =>
      pools.reads.query(`SELECT /* ${way} */ SLEEP(600), ${number}`).catch((error: unknown) => error),
    );
    await waitFor('the statements', async () => (await running(way)).length === 3);
    const kills = await count('Com_kill');
    const connections = await count('Connections');
    await pools.cut();
    expect((await Promise.all(asked)).map(isConnectionLost)).toEqual([true, true, true, true]);
    // The connector would have opened a connection for each KILL.
    expect([await count('Com_kill'), await count('Connections')]).toEqual([kills, connections]);
    expect(ended).toBeGreaterThanOrEqual(3);
    for (const { id } of await running(way)) await root.query(`KILL ${id}`);
  },
);

test('a connection that the server ends is noticed and dropped', async () => {
  let ended = 0;
  const onEnd = () => {
    ended += 1;
  };
  const pools = new ServerPools(places.socket, sizes, { epoch: 0, onEnd });
  for (let round = 1; round <= 3; round += 1) {
    const [own] = await pools.writes.query<{ id: number }[]>('SELECT CONNECTION_ID() AS id');
    const before = ended;
    await root.query(`KILL ${own?.id}`);
    await waitFor('the end', () => ended > before);
  }
  await pools.end();
});

test('a stop waits for running statements, and then kills nothing', async () => {
  const pools = new ServerPools(places.socket, sizes);
  const short = pools.reads.query('SELECT SLEEP(0.3) AS slept');
  const long = pools.writes.query('SELECT /* long */ SLEEP(600)').catch((error: unknown) => error);
  await waitFor('the statement', async () => (await running('long')).length === 1);
  const kills = await count('Com_kill');
  await pools.end();
  expect(await short).toEqual([{ slept: 0 }]);
  expect(isConnectionLost(await long)).toBe(true);
  expect(await count('Com_kill')).toBe(kills);
  for (const { id } of await running('long')) await root.query(`KILL ${id}`);
});
