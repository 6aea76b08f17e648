// A host's file on its cluster, in its data folder: the hosts, their shared settings, and its own certificate. Only root can read
// it.

import { lstat, mkdir, rename, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { originOf } from '../../platform/net/origin.ts';
import { fileExists, readKeyFile, writeKeyFile } from '../../platform/secrets/key-file.ts';
import { leastLeaseMs, mostLeaseMs } from '../agent/limits.ts';
import { sealedKeyFiles } from './key-exchange.ts';
import { keyHashesShape } from './key-files.ts';

export const hostName = z.string().regex(/^[a-z][a-z0-9-]{0,30}$/);
export const hostAddress = z.union([z.ipv4(), z.ipv6()]);

export const mostHosts = 5;
/** Two data hosts and a witness. */
export const hostsOfBeginning = 3;

export const memberShape = z.object({
  name: hostName,
  address: hostAddress,
  /** `witness`: a host without data that only votes. */
  kind: z.enum(['data', 'witness']),
  /** Server id in MariaDB. Data hosts count from 1. */
  serverId: z.number().int().min(1).max(999),
  /** It has left, and another host may join in its place. */
  left: z.boolean().optional(),
  /** SHA-256 of the public key of its certificate. Omitted if it joined an earlier version. */
  keySha256: z.string().optional(),
  /** Serial numbers of its certificates. */
  serials: z.array(z.string()).max(20).optional(),
  /** The serial numbers of hosts that had its place before. */
  refused: z.array(z.string()).max(400).optional(),
  /** False if it has no member of etcd and uses those of other hosts. */
  vote: z.boolean().optional(),
  /** Name of its site. */
  site: hostName.optional(),
  /** It receives, but commits never wait for it, and it is never promoted automatically. */
  asynchronous: z.boolean().optional(),
});
export type Member = z.output<typeof memberShape>;

/** Settings that all hosts share. */
export const sharedShape = z.object({
  cluster: z.string().min(1).max(64),
  leaseMs: z.number().int().min(leastLeaseMs).max(mostLeaseMs),
  /** A write never completes with only one copy. */
  strict: z.boolean().default(false),
  /** With the prefix length. If omitted, balancers query /health/primary. */
  virtualAddress: z.string().optional(),
  routerId: z.number().int().min(1).max(255),
  accounts: z.object({ applicationPassword: z.string().min(1), replicationPassword: z.string().min(1) }),
  /** PEM. */
  authority: z.string(),
});
type Shared = z.output<typeof sharedShape>;

const token = z.object({
  sha256: z.string(),
  expiresAt: z.iso.datetime(),
  /** A hash of the host's whole request, including its public keys. The same request may be repeated if the answer was lost. */
  usedFor: z.string().optional(),
});

const shape = sharedShape.extend({
  me: hostName,
  certificate: z.string(),
  key: z.string(),
  /** Certificate of `tidegate serve`, which only allows queries to etcd. */
  served: z.object({ certificate: z.string(), key: z.string() }).optional(),
  /** The first host comes first. Two data hosts and a witness are complete. Further data hosts may join. */
  members: z.array(memberShape).min(1).max(mostHosts),
  /** The authority's key and the issued tokens. Only the first host has them. */
  first: z
    .object({
      authorityKey: z.string(),
      tokens: z.array(token).max(20),
      /** Whether a database existed when the cluster was started. */
      hasDatabase: z.boolean().default(false),
      /** Whether the data folder is ready to be copied. `epoch`: the cluster's first epoch. */
      takenOver: z.object({ epoch: z.number().int().min(0) }).optional(),
    })
    .optional(),
  /** At the other hosts: URL at which the first host lists the members. */
  firstUrl: z.string().optional(),
});
export type HostFile = z.output<typeof shape>;

export const ports = {
  mariadb: 3_306,
  copies: 3_307,
  etcd: 2_379,
  etcdPeers: 2_380,
  join: 2_381,
  health: 2_382,
} as const;

/** URL at which a member of etcd reaches another one. */
export function peerUrl({ address }: Pick<Member, 'address'>): string {
  return originOf({ host: address, port: ports.etcdPeers });
}

/** Whether two data hosts and a witness have joined. A host that leaves later keeps its place in the list until another one takes it. */
export function isComplete({ members }: { readonly members: readonly Member[] }): boolean {
  return members.length >= hostsOfBeginning;
}

export function isPresent({ left }: Pick<Member, 'left'>): boolean {
  return left !== true;
}

export function hasLeft({ me, members }: Pick<HostFile, 'me' | 'members'>): boolean {
  return !members.some((each) => each.name === me && isPresent(each));
}

/** Hosts with a member of etcd. */
export function voters(members: readonly Member[]): readonly Member[] {
  return members.filter(({ vote }) => vote !== false);
}

/** Voters that have not left. */
export function presentVoters(members: readonly Member[]): readonly Member[] {
  return voters(members).filter(isPresent);
}

export function hostFilePath(dataPath: string): string {
  return join(dataPath, 'ha', 'host.json');
}

export function hasHostFile(dataPath: string): Promise<boolean> {
  return fileExists(hostFilePath(dataPath));
}

export function readHostFile(dataPath: string): Promise<HostFile> {
  return readKeyFile(hostFilePath(dataPath), shape);
}

/** Called on a host that has left: its folder no longer belongs to a cluster. */
export async function forgetHostFile(dataPath: string): Promise<void> {
  await rename(hostFilePath(dataPath), leftPath(dataPath));
}

function leftPath(dataPath: string): string {
  return join(dataPath, 'ha', 'left.json');
}

/** The host whose folder this was until it left. Undefined if there was none. */
export async function leftHostIn(dataPath: string): Promise<{ readonly name: string; readonly at: Date } | undefined> {
  if (!(await fileExists(leftPath(dataPath)))) return undefined;
  const { me } = await readKeyFile(leftPath(dataPath), shape);
  // It was written when the host left, and then renamed.
  return { name: me, at: (await stat(leftPath(dataPath))).mtime };
}

/** Folder of the host's own files, which only root can write. It is created if it is missing. */
export async function ownFolder(dataPath: string): Promise<string> {
  const folder = join(dataPath, 'ha');
  await mkdir(folder, { recursive: true, mode: 0o700 });
  // The service account may write to a data folder that was handed over to it.
  const found = await lstat(folder);
  if (!found.isDirectory() || found.uid !== process.getuid?.())
    throw new Error(`${folder} is another user's, so that what is in it can't be trusted: remove it`);
  return folder;
}

export async function writeHostFile(dataPath: string, file: HostFile): Promise<void> {
  await ownFolder(dataPath);
  await writeKeyFile(hostFilePath(dataPath), file);
}

/** Serialises the changes of each file. */
const changing = new Map<string, Promise<unknown>>();

/** `change` gets the current file, and must not wait for other changes. Returns the written file. */
export async function changeHostFile(dataPath: string, change: (now: HostFile) => HostFile): Promise<HostFile> {
  const path = hostFilePath(dataPath);
  const work = async (): Promise<HostFile> => {
    const changed = change(await readHostFile(dataPath));
    await writeHostFile(dataPath, changed);
    return changed;
  };
  const done = (changing.get(path) ?? Promise.resolve()).catch(() => undefined).then(work);
  changing.set(path, done);
  return done;
}

/** The file for a joining host, without the first host's private parts. */
export function sharedOf(file: HostFile): Shared {
  return sharedShape.parse(file);
}

export const joinRequest = z.object({
  token: z.string().max(200),
  name: hostName,
  address: hostAddress,
  kind: memberShape.shape.kind,
  site: memberShape.shape.site,
  asynchronous: memberShape.shape.asynchronous,
  publicKey: z.string().max(1_000),
  /** Public key to encrypt the key files for. If omitted, it gets none. */
  exchangeKey: z.string().max(1_000).optional(),
  /** The public key of `tidegate serve` there. */
  servedKey: z.string().max(1_000).optional(),
  /** Key files that it already has. */
  keyFiles: keyHashesShape.default({}),
});
export type JoinRequest = z.output<typeof joinRequest>;

export const joinAnswer = z.object({
  shared: sharedShape,
  certificate: z.string(),
  servedCertificate: z.string().optional(),
  members: z.array(memberShape),
  /** Omitted if the first host has none, or none was requested. */
  keys: sealedKeyFiles.optional(),
});
export const memberList = z.array(memberShape).min(1).max(mostHosts);
/** A host's request for its `tidegate serve`. */
export const servedRequest = z.object({ publicKey: z.string().max(1_000) });
export const servedAnswer = z.object({ certificate: z.string() });

/** A host's request for new certificates of the same keys. `servedKey`: the public key of `tidegate serve` there. */
export const renewRequest = z.object({ servedKey: z.string().max(1_000).optional() });
export const renewAnswer = z.object({
  authority: z.string(),
  certificate: z.string(),
  servedCertificate: z.string().optional(),
});

export const membersAnswer = z.object({ members: memberList });
