// Three real etcd members on addresses of the test's own network.
// needs: system
import { chmod, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type DataFolder, openDataFolder } from '../../embedded/data-folder.ts';
import { type EmbeddedEtcd, type EtcdMember, type EtcdTls, startEtcd } from '../../embedded/etcd.ts';
import { runProgram } from '../../embedded/run-program.ts';
import { killQuietly } from '../../embedded/server-process.ts';
import { silentLog } from '../../embedded/setup-log.ts';
import { EtcdClient, type EtcdClientOptions } from '../../ha/etcd.ts';
import { makeCertificate } from '../../platform/net/certificates.ts';
import { ownNetwork } from '../support/machine/own-network.ts';
import { patience } from '../support/machine/patience.ts';
import { temporaryFolder, waitFor } from '../support/machine/temporary-folder.ts';

export interface EtcdCluster {
  readonly urls: readonly string[];
  readonly tls: { readonly ca: string; readonly cert: string; readonly key: string };
  member(name: string): EmbeddedEtcd;
  restart(name: string): Promise<void>;
  /** The certificate and key of a member, for one more member with files in that folder. */
  filesIn(folder: DataFolder): Promise<EtcdTls>;
  client(options?: Partial<EtcdClientOptions>): EtcdClient;
  /** The name of the leader. */
  leader(): Promise<string>;
  remove(): Promise<void>;
}

const names = ['a', 'b', 'w'] as const;

export async function etcdCluster(): Promise<EtcdCluster> {
  const place = await temporaryFolder();
  const network = await ownNetwork();
  const members: EtcdMember[] = names.map((name, at) => ({
    name,
    address: `127.${network.part}.0.${at + 1}`,
    clientPort: 2379,
    peerPort: 2380,
  }));
  const issuer = await makeCertificate({ commonName: 'test authority', use: 'authority' });
  const { cert, key } = await makeCertificate({
    commonName: 'etcd',
    // A member refuses peers whose certificate does not name the address that they connect from.
    names: ['127.0.0.1', `127.${network.part}.0.4`, ...members.map(({ address }) => address)],
    issuer,
  });
  const folders = new Map<string, DataFolder>();
  const running = new Map<string, EmbeddedEtcd>();
  const clients: EtcdClient[] = [];
  for (const { name } of members) folders.set(name, await openDataFolder(join(place.path, name), { version: 1 }));
  const filesIn = async (folder: DataFolder): Promise<EtcdTls> => {
    const files = await folder.subfolder('certificates', { forService: true });
    const tls = {
      caFile: join(files, 'ca.pem'),
      certificateFile: join(files, 'cert.pem'),
      keyFile: join(files, 'key.pem'),
    };
    for (const [path, text] of [
      [tls.caFile, issuer.cert],
      [tls.certificateFile, cert],
      [tls.keyFile, key],
    ] as const) {
      await writeFile(path, text);
      await chmod(path, 0o600);
    }
    const user = folder.serviceUser;
    if (user !== undefined) await runProgram('chown', ['-R', `${user.uid}:${user.gid}`, files]);
    return tls;
  };
  const start = async (name: string): Promise<void> => {
    const folder = folders.get(name) as DataFolder;
    const tls = await filesIn(folder);
    running.set(name, await startEtcd({ folder, log: silentLog, name, members, cluster: 'test', tls }));
  };
  await Promise.all(members.map(({ name }) => start(name)));
  const urls = members.map(({ address, clientPort }) => `https://${address}:${clientPort}`);
  const tls = { ca: issuer.cert, cert, key };
  const client: EtcdCluster['client'] = (options = {}) => {
    const made = new EtcdClient({ urls, tls, timeoutMs: 3_000 * patience, ...options });
    clients.push(made);
    return made;
  };
  const own = client();
  const cluster: EtcdCluster = {
    urls,
    tls,
    client,
    member: (name) => running.get(name) as EmbeddedEtcd,
    restart: start,
    filesIn,
    leader: () =>
      waitFor('a leader of etcd', async () => {
        const known = await own.status();
        const leading = known.find(({ memberId, leaderId }) => memberId === leaderId);
        return leading === undefined ? undefined : names[urls.indexOf(leading.url)];
      }),
    async remove() {
      for (const each of clients) each.close();
      for (const each of running.values()) killQuietly(each.pid, 'SIGCONT');
      await Promise.all([...running.values()].map((each) => each.stop()));
      for (const folder of folders.values()) await folder.close();
      network.release();
      await place.remove();
    },
  };
  await cluster.leader();
  return cluster;
}
