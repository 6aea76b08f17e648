// Certificates of the trial: several for each name, one of which is in use at a time.

import { type CertificateAndKey, makeCertificate } from '../../platform/net/certificates.ts';
import { encodeId } from '../../platform/values/ids.ts';
import type { Changes } from './changes.ts';
import type { CertificateState } from './model.ts';
import type { Place } from './place.ts';
import { serverNames } from './shared.ts';

const versions = 3;

export type Pairs = ReadonlyMap<string, readonly CertificateAndKey[]>;

export async function makePairs(): Promise<Pairs> {
  const pairs = new Map<string, CertificateAndKey[]>();
  for (const name of serverNames) {
    const own: CertificateAndKey[] = [];
    for (let version = 0; version < versions; version += 1)
      own.push(await makeCertificate({ commonName: name, names: [name], use: 'server' }));
    pairs.set(name, own);
  }
  return pairs;
}

/** The TLS certificate of all members, and its issuer. */
export interface MemberTls {
  readonly authority: CertificateAndKey;
  readonly certificate: CertificateAndKey;
}

export const memberName = 'member.test';

export async function makeMemberTls(): Promise<MemberTls> {
  const authority = await makeCertificate({ commonName: 'members', use: 'authority' });
  const names = { commonName: memberName, names: [memberName] };
  return { authority, certificate: await makeCertificate({ ...names, issuer: authority, use: 'server' }) };
}

export async function createCertificate(
  { world }: Place,
  changes: Changes,
  unique: string,
  name: string,
  pair: CertificateAndKey,
): Promise<CertificateState | undefined> {
  const projectId = encodeId('Project', world.projectId);
  const input = { name: unique.replaceAll('.', '-'), projectId, chain: pair.cert, privateKey: pair.key };
  const row = await changes.make('tlsCertificateCreate', () => world.certificates.create(world.context, input));
  return row === undefined ? undefined : { id: row.id, name, pair };
}

export function idsOf(certificates: readonly CertificateState[]): readonly string[] {
  return certificates.map(({ id }) => encodeId('TlsCertificate', id));
}
