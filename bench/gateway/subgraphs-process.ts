// The subgraphs in a separate process. Each has two endpoints: the usual one, which accepts only signed requests, and a plain one.
import { pino } from 'pino';
import { answerParent } from '../../measure/child.ts';
import { serveSubgraph } from '../../platform/graph/serve-subgraph.ts';
import { type PublicFile, PublicKeys } from '../../platform/secrets/key-pairs.ts';
import { createSubgraphs, type GraphName } from './graphs.ts';
import { openPlainDoor } from './plain-door.ts';

export interface SubgraphsOrder {
  readonly graph: GraphName;
  readonly publicKeys: PublicFile;
}

export interface SubgraphPlace {
  readonly name: string;
  readonly signedUrl: string;
  readonly plainUrl: string;
}

const log = pino({ level: 'warn' }, process.stderr);

answerParent(async (order: SubgraphsOrder): Promise<readonly SubgraphPlace[]> => {
  const publicKeys = new PublicKeys(order.publicKeys);
  const open = createSubgraphs(order.graph).map(async (subgraph) => {
    const served = await serveSubgraph({ subgraph, host: '127.0.0.1', port: 0, publicKeys, log });
    return { name: subgraph.name, signedUrl: served.url, plainUrl: await openPlainDoor(subgraph, log) };
  });
  return Promise.all(open);
});
