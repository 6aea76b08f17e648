// Starts a cluster on its first host. Running services stay unchanged: `ha agent` takes over the database once all hosts have
// joined.
// needs: mariadb-server-core, mariadb-client-core

import { randomBytes, randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { isIPv4, isIPv6 } from 'node:net';
import { networkInterfaces } from 'node:os';
import { join } from 'node:path';
import { openDataFolder } from '../../embedded/data-folder.ts';
import { findProgram } from '../../embedded/find-program.ts';
import { databasePath, hasDatabase } from '../../embedded/mariadb.ts';
import { runProgram } from '../../embedded/run-program.ts';
import { SetupError } from '../../embedded/setup-error.ts';
import { fingerprintOf } from '../../platform/machines/authority.ts';
import { newMachineKeys } from '../../platform/machines/machine-keys.ts';
import { canonicalAddressBlock } from '../../platform/net/address-block.ts';
import { certify, makeCertificate } from '../../platform/net/certificates.ts';
import { originOf } from '../../platform/net/origin.ts';
import { answers } from '../address/answers.ts';
import { certificateDays, certifyServed } from './first-host.ts';
import {
  changeHostFile,
  type HostFile,
  hasHostFile,
  hostAddress,
  hostName,
  ports,
  readHostFile,
  writeHostFile,
} from './host-file.ts';
import { JoinRefusal } from './join-refusal.ts';
import { hashOf, newJoinToken } from './join-token.ts';
import { hostCommonName, hostUri, keyFingerprint, withSerials } from './member-certificate.ts';

interface BeginOptions {
  readonly dataPath: string;
  readonly dataVersion: number;
  readonly name: string;
  readonly address: string;
  /** With the prefix length. Omitted if there is none. */
  readonly virtualAddress: string | undefined;
  readonly leaseMs: number;
  readonly strict: boolean;
  readonly routerId: number;
  /** Creates the database of a new installation, if there is none. Called after all checks have passed. */
  readonly install: () => Promise<void>;
  /** Writes further files of the host. An interrupted setup can be repeated. `applicationPassword`: for MariaDB. */
  readonly prepare: (applicationPassword: string) => Promise<void>;
  /** Name of the host's site. */
  readonly site?: string | undefined;
}

const tokenMs = 30 * 60_000;
const mostTokens = 20;
const leastPrefix = 8;

/** Throws JoinRefusal, SetupError. */
export async function begin(options: BeginOptions): Promise<void> {
  const { dataPath, name, leaseMs, strict, routerId, site } = options;
  const address = canonicalAddress(options.address);
  const virtualAddress = options.virtualAddress?.replace(/^[^/]+/, canonicalAddress);
  await refuseBegun(dataPath);
  refuseBadName(name, address);
  refuseBadSite(site);
  await refuseOldMariadb();
  if (virtualAddress !== undefined) await refuseVirtualAddress(virtualAddress, address);
  if (!(await hasDatabase(databasePath(dataPath)))) await options.install();
  const authority = await makeCertificate({ commonName: 'Tidegate hosts', use: 'authority' });
  const { publicKey, privateKey } = await newMachineKeys();
  const member = { name, address, kind: 'data', serverId: 1, site, keySha256: keyFingerprint(publicKey) } as const;
  const certificate = await certify({
    ...{ publicKey, issuer: authority, commonName: hostCommonName(member), uri: hostUri(name) },
    ...{ addresses: [address], days: certificateDays },
  });
  const served = await newServed(name, authority);
  const accounts = {
    applicationPassword: await applicationPassword(options),
    replicationPassword: randomBytes(24).toString('base64url'),
  };
  await options.prepare(accounts.applicationPassword);
  // This comes last, because afterwards this host belongs to a cluster and can't start another one.
  await writeHostFile(dataPath, {
    ...{ cluster: randomUUID(), leaseMs, strict, routerId, me: name },
    ...{ certificate, key: privateKey, authority: authority.cert },
    served,
    ...(virtualAddress === undefined ? {} : { virtualAddress }),
    accounts,
    members: [withSerials(member, certificate, served.certificate)],
    first: { authorityKey: authority.key, tokens: [], hasDatabase: await hasDatabase(databasePath(dataPath)) },
  });
}

/** Throws JoinRefusal. */
export async function refuseBegun(dataPath: string): Promise<void> {
  if (await hasHostFile(dataPath))
    throw new JoinRefusal('ALREADY', `${dataPath} is of a cluster already: "tidegate ha status" shows it`);
}

/** A new certificate for `tidegate serve` on a host. */
export async function newServed(
  name: string,
  issuer: Parameters<typeof certifyServed>[1],
): Promise<NonNullable<HostFile['served']>> {
  const { publicKey, privateKey } = await newMachineKeys();
  return { certificate: await certifyServed({ name, publicKey }, issuer), key: privateKey };
}

/** A token for one host. It can be used once, within 30 minutes. */
export async function invite(dataPath: string): Promise<{ readonly token: string; readonly url: string }> {
  const { first, authority, members } = await readHostFile(dataPath);
  const [firstHost] = members;
  if (first === undefined || firstHost === undefined)
    throw new JoinRefusal('NOT_FIRST', 'only the first host of a cluster invites others');
  const token = newJoinToken(fingerprintOf(authority));
  const expiresAt = new Date(Date.now() + tokenMs).toISOString();
  await changeHostFile(dataPath, (now) => {
    const { tokens = [] } = now.first ?? {};
    const kept = tokens.filter((each) => each.usedFor !== undefined || Date.parse(each.expiresAt) > Date.now());
    const given = [...kept, { sha256: hashOf(token), expiresAt }].slice(-mostTokens);
    return { ...now, first: { ...first, ...now.first, tokens: given } };
  });
  return { token, url: originOf({ host: firstHost.address, port: ports.join }) };
}

export function refuseBadName(name: string, address: string): void {
  if (!hostName.safeParse(name).success)
    throw new JoinRefusal(
      'BAD_NAME',
      `'${name}' is not a host's name: letters, digits and hyphens, a letter first, at most 31`,
    );
  if (!hostAddress.safeParse(address).success)
    throw new JoinRefusal('BAD_ADDRESS', `'${address}' is not an IP address`);
  if (deviceOf(address) === undefined)
    throw new JoinRefusal('BAD_ADDRESS', `${address} is not an address of this host`);
}

export function refuseBadSite(site: string | undefined): void {
  if (site !== undefined && !hostName.safeParse(site).success)
    throw new JoinRefusal(
      'BAD_NAME',
      `'${site}' is not a site's name: letters, digits and hyphens, a letter first, at most 31`,
    );
}

/** The interface that has the address. */
export function deviceOf(address: string): string | undefined {
  return Object.entries(networkInterfaces()).find(([, all]) => all?.some((each) => each.address === address))?.[0];
}

/** Canonical form of an address that can be written in several ways. Other text is returned unchanged. */
export function canonicalAddress(text: string): string {
  return canonicalAddressBlock(text) ?? text;
}

async function refuseVirtualAddress(given: string, own: string): Promise<void> {
  const [address = '', length = ''] = given.split('/');
  const most = isIPv4(address) ? 32 : isIPv6(address) ? 128 : 0;
  if (!/^\d{1,3}$/.test(length) || Number(length) < leastPrefix || Number(length) > most)
    throw new JoinRefusal(
      'BAD_ADDRESS',
      `'${given}' is not an address with the length of its network, such as 192.0.2.10/24 or 2001:db8::10/64`,
    );
  const device = deviceOf(own);
  const isOwn = deviceOf(address) !== undefined;
  if (isOwn || (device !== undefined && (await answers(address, device))))
    throw new JoinRefusal('ADDRESS_TAKEN', `${address} answers: somebody has it already; choose a free address`);
}

/** First versions in which `init_rpl_role` decides recovery (MDEV-33465). */
const firstFit: Readonly<Record<string, number>> = { '10.11': 9, '11.1': 6, '11.2': 5, '11.4': 3 };

function isFitMariadb(version: string): boolean {
  const [major = 0, minor = 0, patch = 0] = version.split('.').map(Number);
  if (major > 11 || (major === 11 && minor > 4)) return true;
  const least = firstFit[`${major}.${minor}`];
  return least !== undefined && patch >= least;
}

export async function refuseOldMariadb(): Promise<void> {
  const program = await findProgram('mariadbd', ['/usr/sbin/mariadbd', '/usr/local/sbin/mariadbd']);
  const { stdout } = await runProgram(program, ['--no-defaults', '--version']);
  const version = /Ver (\d+\.\d+\.\d+)/.exec(stdout)?.[1] ?? '';
  if (!isFitMariadb(version))
    throw new JoinRefusal(
      'MARIADB_TOO_OLD',
      `MariaDB ${version} can't be one of a pair: install 10.11.9 or later, or 11.4.3 or later`,
    );
}

/** Keeps the password of the single machine, so that its clients need no other. */
async function applicationPassword({ dataPath, dataVersion }: BeginOptions): Promise<string> {
  const name = 'mariadb-application';
  const known = (await readFile(join(dataPath, 'secrets', name), 'utf8').catch(() => '')).trim();
  if (known !== '') return known;
  const folder = await openDataFolder(dataPath, { version: dataVersion }).catch((error: unknown) => {
    if (error instanceof SetupError && error.code === 'DATA_FOLDER_IN_USE')
      throw new JoinRefusal('BUSY', `${dataPath} is being set up: try again when that has ended`);
    throw error;
  });
  try {
    return await folder.secret(name);
  } finally {
    await folder.close();
  }
}
