// A device's proof of identity in words: an SSH host key or a TLS certificate.
import type { BackendProof as ProofKind } from '../../../../generated/dashboard/graphql.ts';
import type { Backend } from './kinds/backend.ts';

export type { ProofKind };

export const proofNames: Readonly<Record<ProofKind, string>> = { HOST_KEY: 'host key', CERTIFICATE: 'certificate' };

/** The accepted fingerprint. Null if none was accepted. */
export function pinnedOf(backend: Backend, kind: ProofKind): string | null {
  return kind === 'HOST_KEY' ? backend.hostKeySha256 : backend.certificateSha256;
}

/** Why the device is not trusted, in a few words. Null if the reason is unknown. */
export function proofProblem(backend: Backend): string | null {
  const { presented } = backend;
  if (presented !== null) {
    const name = proofNames[presented.kind];
    return pinnedOf(backend, presented.kind) === null ? `unknown ${name}` : `${name} changed`;
  }
  // An online backend has presented an accepted proof, or one signed by an accepted authority.
  const hasNothing = backend.hostKeySha256 === null && backend.certificateSha256 === null;
  return hasNothing && backend.operatingStatus !== 'ONLINE' ? 'nothing accepted' : null;
}
