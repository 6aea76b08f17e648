// The data folder of a host that has left, with a real MariaDB and a real etcd. The last host's folder belongs to a single machine again,
// with every write. Any other host's folder is refused.
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { createConnection } from 'mariadb';
import { refuseClusterFolder } from '../../../cli/up/cluster-folder.ts';
import { type DataFolder, openDataFolder } from '../../../embedded/data-folder.ts';
import { pathExists } from '../../../embedded/find-program.ts';
import { startMariadb } from '../../../embedded/mariadb.ts';
import { isAlive, processMark } from '../../../embedded/process-mark.ts';
import { silentLog } from '../../../embedded/setup-log.ts';
import { HaAgent } from '../../../ha/agent/agent.ts';
import { haKeys, setUpReign } from '../../../ha/agent/keys.ts';
import { Session } from '../../../ha/agent/session.ts';
import { depart, departAlone, isLast } from '../../../ha/host/depart.ts';
import { type HostFile, hasHostFile, hasLeft, writeHostFile } from '../../../ha/host/host-file.ts';
import { writeServedFile } from '../../../ha/host/served-file.ts';
import { takeOver } from '../../../ha/host/take-over.ts';
import { freePort } from '../../support/machine/free-port.ts';
import { stretch } from '../../support/machine/patience.ts';
import { type TemporaryFolder, temporaryFolder, waitFor } from '../../support/machine/temporary-folder.ts';
import { type EtcdCluster, etcdCluster } from '../etcd-cluster.ts';

const { signal } = new AbortController();
const keys = haKeys('test');
let cluster: EtcdCluster;
let place: TemporaryFolder;
let folder: DataFolder;
let path: string;

beforeEach(async () => {
  cluster = await etcdCluster();
  place = await temporaryFolder();
  folder = await openDataFolder(join(place.path, 'data'), { version: 1 });
  ({ path } = folder);
});

afterEach(async () => {
  await folder.close();
  await cluster.remove();
  await place.remove();
});

async function hostFile({ gone = true, me = 'a' } = {}): Promise<HostFile> {
  const { ca: authority, cert: certificate, key } = cluster.tls;
  const members = (['a', 'b', 'w'] as const).map((name, at) => ({
    ...{ name, address: new URL(cluster.urls[at] ?? '').hostname, serverId: at + 1 },
    ...{ kind: name === 'w' ? ('witness' as const) : ('data' as const), ...(gone && name !== 'a' && { left: true }) },
  }));
  const accounts = { applicationPassword: await folder.secret('mariadb-application'), replicationPassword: 'r' };
  return {
    ...{
      cluster: 'test',
      leaseMs: 3_000,
      strict: false,
      routerId: 1,
      me,
      members,
      authority,
      certificate,
      key,
      accounts,
    },
    ...(me === 'a' && { first: { authorityKey: 'secret', tokens: [], hasDatabase: true, takenOver: { epoch: 0 } } }),
  };
}

/** Leaves the folder as a cluster's agent does: the server keeps running. */
async function lead(file: HostFile): Promise<number> {
  await takeOver({ folder, log: silentLog, signal, isThere: false });
  await writeHostFile(path, file);
  await writeServedFile(path, file, folder.serviceUser);
  const etcd = cluster.client({ timeoutMs: 60_000 });
  await etcd.put(keys.sync, JSON.stringify({ primary: 'a', epoch: 0, reign: setUpReign, members: [] }));
  const address = new URL(cluster.urls[0] ?? '').hostname;
  const agent = await HaAgent.start({
    ...{ folder, log: silentLog, etcd, me: 'a', cluster: 'test', leaseMs: 60_000 * stretch, mayRoute: false },
    ...{ hosts: { a: { address, port: await freePort(), serverId: 1 } }, accounts: file.accounts },
    limits: { heartbeatMs: 20_000 * stretch },
  });
  const session = new Session({
    ...{ socketPath: folder.socketPath('mariadb.sock'), user: 'root', password: await folder.secret('mariadb-root') },
  });
  await waitFor('a write', () =>
    session.query('CREATE TABLE tidegate.t (id INT PRIMARY KEY)', [], 5_000).then(
      () => true,
      () => false,
    ),
  );
  for (let id = 1; id <= 50; id += 1) await session.query('INSERT INTO tidegate.t VALUES (?)', [id], 5_000);
  session.forget();
  const pid = agent.serverPid ?? 0;
  await agent.stop();
  return pid;
}

/** Starts the database as `tidegate up` does. */
async function rowsOfSingle(): Promise<number> {
  const server = await startMariadb({ folder, log: silentLog });
  try {
    const connection = await createConnection({ ...server.application });
    const [row] = await connection.query<{ rows: bigint; log: number }[]>(
      'SELECT COUNT(*) AS `rows`, @@log_bin AS log FROM t',
    );
    await connection.query('INSERT INTO t VALUES (1000)');
    await connection.end();
    expect(Number(row?.log)).toBe(0);
    return Number(row?.rows);
  } finally {
    await server.stop();
  }
}

test('the last host becomes a single machine in place, with every write; its keys are gone, and its settings stay', async () => {
  const file = await hostFile();
  expect([isLast(file), hasLeft(file)]).toEqual([true, false]);
  const pid = await lead(file);
  const mark = processMark(pid);
  await writeFile(join(path, 'ha', 'settings.yaml'), '# of a person\n');
  await expect(refuseClusterFolder(path)).rejects.toThrow(/CLUSTER_FOLDER: .*"tidegate ha leave" makes it a single/);
  // While an agent runs, the command is refused and changes nothing.
  await expect(departAlone(path, 1)).rejects.toMatchObject({ code: 'DATA_FOLDER_IN_USE' });
  expect(await hasHostFile(path)).toBe(true);
  await folder.close();
  await departAlone(path, 1);
  folder = await openDataFolder(path, { version: 1 });
  expect(mark !== undefined && isAlive(mark)).toBe(false);
  expect(await rowsOfSingle()).toBe(50);
  await refuseClusterFolder(path);
  expect((await readdir(path)).filter((each) => ['ha', 'etcd', 'serve'].includes(each))).toEqual([]);
  expect(await readFile(join(path, 'ha.ended-test', 'settings.yaml'), 'utf8')).toBe('# of a person\n');
  expect(await readdir(join(path, 'ha.ended-test', 'serve'))).not.toContain('host.json');
  expect(await pathExists(join(path, 'ha.ended-test', 'host.json'))).toBe(false);
});

test('a host that was killed while it left continues when asked again', async () => {
  const file = await hostFile();
  await lead(file);
  const members = file.members.map((each) => ({ ...each, left: true }));
  await mkdir(join(path, 'etcd', 'data'), { recursive: true });
  // The work of the first attempt before it was killed.
  await writeHostFile(path, { ...file, members });
  await depart(folder, { ...file, members });
  expect(await hasHostFile(path)).toBe(false);
  expect(await rowsOfSingle()).toBe(50);
});

test('a host is not the last while another one is there, and a departed host keeps an old copy that nothing serves', async () => {
  expect(isLast(await hostFile({ gone: false }))).toBe(false);
  const file = await hostFile({ me: 'b' });
  expect([isLast(file), hasLeft(file)]).toEqual([false, true]);
  await writeServedFile(path, file, folder.serviceUser);
  await depart(folder, file);
  expect(await hasHostFile(path)).toBe(false);
  await expect(refuseClusterFolder(path)).rejects.toThrow(/CLUSTER_FOLDER: .*an old copy .*the host b has left/);
});
