// Whether a certificate belongs to a host of the cluster. The list decides this, because the authority's signature stays valid after a host has left.

import { createPublicKey, X509Certificate } from 'node:crypto';
import type { TLSSocket } from 'node:tls';
import type { Member } from './host-file.ts';
import { hashOf } from './join-token.ts';

export const mostSerials = 20;
/** Certificates of all former hosts. The certificates outlive the cluster. */
const mostRefused = 400;

export function hostUri(name: string): string {
  return `urn:tidegate-host:${name}`;
}

/** It is different for each host that ever joins, because MariaDB identifies hosts by it. */
export function hostCommonName({ name, serverId }: Pick<Member, 'name' | 'serverId'>): string {
  return `${name}-${serverId}`;
}

/** Fingerprint of a public key (PEM), which identifies a member. */
export function keyFingerprint(publicKey: string): string {
  const der = createPublicKey(publicKey).export({ type: 'spki', format: 'der' });
  return hashOf(der.toString('base64'));
}

function serialOf(certificate: string): string {
  return new X509Certificate(certificate).serialNumber;
}

/** Adds the serial numbers of further certificates that were issued to it. */
export function withSerials(member: Member, ...certificates: readonly string[]): Member {
  return { ...member, serials: [...(member.serials ?? []), ...certificates.map(serialOf)].slice(-mostSerials) };
}

/** Serial numbers to refuse when a host takes the place of one that has left. */
export function refusedSerials(left: Member | undefined): readonly string[] {
  return left === undefined ? [] : [...(left.refused ?? []), ...(left.serials ?? [])].slice(-mostRefused);
}

/** Serial numbers of certificates that are no longer valid. */
export function leftSerials(members: readonly Member[]): readonly string[] {
  return members.flatMap((each) => [...(each.refused ?? []), ...(each.left === true ? (each.serials ?? []) : [])]);
}

/**
 * The member that a certificate belongs to, if it is listed and has not left. The certificate must already be verified against
 * the authority.
 */
export function memberWith(certificate: X509Certificate | undefined, members: readonly Member[]): Member | undefined {
  const names = certificate?.subjectAltName?.split(', ') ?? [];
  return members.find(({ name, left, keySha256 }) => {
    if (left === true || certificate === undefined || !names.includes(`URI:${hostUri(name)}`)) return false;
    // Members that joined an earlier version are identified by name only.
    const key = certificate.publicKey.export({ type: 'spki', format: 'der' }).toString('base64');
    return keySha256 === undefined || keySha256 === hashOf(key);
  });
}

/** The certificate that the peer has presented. */
export function shownBy(socket: unknown): X509Certificate | undefined {
  return (socket as TLSSocket).getPeerX509Certificate?.();
}
