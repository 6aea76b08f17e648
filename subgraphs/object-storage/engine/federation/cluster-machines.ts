// Finds the cluster of the machine at the other end of a connection, from its certificate and the control plane's document of all clusters.
import { X509Certificate } from 'node:crypto';
import type { TLSSocket } from 'node:tls';
import { type MachineName, machineOf } from '../../../../platform/machines/machine.ts';
import type { MutualTls } from '../../../../platform/machines/tls.ts';
import { clusterOf } from '../../wire/cluster-names.ts';
import type { ClustersDocument } from '../../wire/documents/documents.ts';

export type KnownCluster = ClustersDocument['clusters'][number];

/** Undefined if its certificate names no machine. */
export function peerOf(socket: unknown): MachineName | undefined {
  return machineOf({ subjectAltName: (socket as TLSSocket).getPeerCertificate().subjectaltname });
}

/** Undefined if the documents do not name the cluster of this machine. */
export function ownCluster(
  clusters: readonly KnownCluster[],
  { cert }: Pick<MutualTls, 'cert'>,
): KnownCluster | undefined {
  const machine = machineOf({ subjectAltName: new X509Certificate(cert).subjectAltName });
  return machine && clusterOf(clusters, machine);
}
