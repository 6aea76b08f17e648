// Which cluster the machine at the other end of a connection is of, by its certificate and the centre's document of all clusters.
import { X509Certificate } from 'node:crypto';
import type { TLSSocket } from 'node:tls';
import type { MutualTls } from '../../../platform/graph/tls.ts';
import { type MachineName, machineOf } from '../../../platform/machines/machine.ts';
import type { ClustersDocument } from '../documents/documents.ts';
import { clusterOf } from '../wire/cluster-names.ts';

export type KnownCluster = ClustersDocument['clusters'][number];

/** Undefined: its certificate names no machine. */
export function peerOf(socket: unknown): MachineName | undefined {
  return machineOf({ subjectAltName: (socket as TLSSocket).getPeerCertificate().subjectaltname });
}

/** Undefined: the documents do not name the cluster of this machine. */
export function ownCluster(
  clusters: readonly KnownCluster[],
  { cert }: Pick<MutualTls, 'cert'>,
): KnownCluster | undefined {
  const machine = machineOf({ subjectAltName: new X509Certificate(cert).subjectAltName });
  return machine && clusterOf(clusters, machine);
}
