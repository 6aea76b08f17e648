// The file in which `tidegate serve` finds its host's cluster: the hosts, and a certificate for queries to etcd. The agent keeps it up to date. Root
// owns the folder and its content, and the user of `tidegate serve` may read it.

import { readFileSync, statSync } from 'node:fs';
import { chmod, chown, lstat, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import type { ServiceUser } from '../../embedded/service-account.ts';
import { fileExists, writeWhole } from '../../platform/secrets/key-file.ts';
import { type HostFile, isPresent, type Member, memberShape, sharedShape } from './host-file.ts';

const shape = sharedShape.pick({ cluster: true, strict: true, authority: true }).extend({
  me: memberShape.shape.name,
  certificate: z.string(),
  key: z.string(),
  members: z.array(memberShape).min(1).max(9),
  /** The same port on each data host. Omitted if they run no name server. */
  nameServerPort: z.number().int().min(1).max(65_535).optional(),
});
export type ServedFile = z.output<typeof shape>;

/** A folder in the data folder. */
export function servedFolder(dataPath: string): string {
  return join(dataPath, 'serve');
}

export function servedFilePath(dataPath: string): string {
  return join(servedFolder(dataPath), 'host.json');
}

/** The certificate of the hosts' authority, which MariaDB shows. */
export function servedAuthorityPath(dataPath: string): string {
  return join(servedFolder(dataPath), 'authority.pem');
}

/** The key with which names are published at the hosts' name servers. */
export function nameServerKeyPath(dataPath: string): string {
  return join(servedFolder(dataPath), 'name-server.key');
}

/** File in which `tidegate serve` notes its process. */
export function processFilePath(dataPath: string): string {
  return join(servedFolder(dataPath), 'process', 'served.json');
}

export function hasServedFile(dataPath: string): Promise<boolean> {
  return fileExists(servedFilePath(dataPath));
}

/** Throws if others may read it. */
export function readServedFile(dataPath: string): ServedFile {
  const path = servedFilePath(dataPath);
  const { mode } = statSync(path);
  if ((mode & 0o007) !== 0) throw new Error(`${path} is readable by others: run chmod o= ${path}`);
  return shape.parse(JSON.parse(readFileSync(path, 'utf8')));
}

interface ServedNameServer {
  readonly port: number;
  /** The text of its key file. */
  readonly key: string;
}

/** `user`: the user of `tidegate serve`. Undefined for root. */
export async function writeServedFile(
  dataPath: string,
  file: HostFile,
  user: ServiceUser | undefined,
  nameServer?: ServedNameServer,
): Promise<void> {
  await makeServedFolder(dataPath, user);
  const { cluster, strict, me, members, authority, served = file } = file;
  const { certificate, key } = served;
  const nameServerPort = nameServer?.port;
  const text = JSON.stringify({ cluster, strict, me, members, authority, certificate, key, nameServerPort }, null, 2);
  // Nobody but its owner may read a key file.
  if (nameServer !== undefined)
    await writeWhole(nameServerKeyPath(dataPath), nameServer.key, 0o600, user ?? { uid: 0, gid: 0 });
  await writeForServe(servedAuthorityPath(dataPath), authority, user);
  await writeForServe(servedFilePath(dataPath), `${text}\n`, user);
}

/** Writes a file that only root can change. */
export function writeForServe(path: string, text: string, user: ServiceUser | undefined): Promise<void> {
  const owner = { uid: 0, gid: user?.gid ?? 0 };
  return writeWhole(path, text, user === undefined ? 0o600 : 0o640, process.getuid?.() === 0 ? owner : undefined);
}

export async function makeServedFolder(dataPath: string, user: ServiceUser | undefined): Promise<void> {
  const folder = servedFolder(dataPath);
  await makeFolder(folder, { uid: 0, gid: user?.gid ?? 0 }, user === undefined ? 0o700 : 0o750);
  await makeFolder(join(folder, 'process'), { uid: user?.uid ?? 0, gid: user?.gid ?? 0 }, 0o700);
}

async function makeFolder(path: string, { uid, gid }: ServiceUser, mode: number): Promise<void> {
  await mkdir(path, { recursive: true, mode: 0o700 });
  if (process.getuid?.() !== 0) return;
  // The parent of a folder that the service user owns belongs to root.
  const found = await lstat(path);
  if (!found.isDirectory() || ![0, uid].includes(found.uid))
    throw new Error(`${path} is not a folder of root: remove it`);
  await chown(path, uid, gid);
  await chmod(path, mode);
}

/** Hosts with a server of the database. */
export function dataHosts({ members }: Pick<ServedFile, 'members'>): readonly Member[] {
  return members.filter((each) => each.kind === 'data' && isPresent(each));
}
