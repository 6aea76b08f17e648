// A cluster's server in a separate process, so that tests can kill or stop it. Its one argument is described at
// ServerWish. It prints its URL.
import { pino } from 'pino';
import { Peers } from '../../../../../platform/machines/peers.ts';
import { BlobFolder } from '../../../../../subgraphs/object-storage/engine/blobs/blob-folder.ts';
import { PeerServer } from '../../../../../subgraphs/object-storage/engine/peers/peer-server.ts';
import { MemoryReplica } from '../../../../support/object-storage/memory-replica.ts';
import { clusterOf } from './clusters.ts';

export interface ServerWish {
  readonly folder: string;
  readonly port: number;
  readonly cert: string;
  readonly key: string;
  readonly ca: string;
}

const { folder, port, cert, key, ca } = JSON.parse(process.argv[2] ?? '') as ServerWish;
const log = pino({ level: 'silent' });
const server = await PeerServer.listen({
  ...{ host: '127.0.0.1', port, log, clusterOf },
  tls: { cert, key, ca, peers: new Peers(log) },
  replica: new MemoryReplica(),
  blobs: await BlobFolder.open({ folder, keepFreeBytes: 0, log }),
});
process.stdout.write(`${server.url}\n`);
