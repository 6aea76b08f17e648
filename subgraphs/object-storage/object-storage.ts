// The object storage subgraph: its services and resolvers.

import { attentionResolvers, measureAttention } from '../../platform/attention/attention.ts';
import { createSubgraph } from '../../platform/graph/create-subgraph.ts';
import type { RunningSubgraph, SubgraphContext } from '../../platform/process/subgraph-row.ts';
import { RevivedAccess } from '../../platform/restore/revived-access.ts';
import { accessKeys } from './control/accounts/access-key-end.ts';
import { AccessKeyService } from './control/accounts/access-key-service.ts';
import { accountResolvers } from './control/accounts/account-resolvers.ts';
import { objectAttention } from './control/attention.ts';
import { ClusterService } from './control/clusters/cluster-service.ts';
import { ClusterServices } from './control/clusters/cluster-services.ts';
import { ObjectStorageReads } from './control/clusters/reads.ts';
import { controlPlaneResolvers } from './control/clusters/resolvers.ts';
import { ContainerReads } from './control/containers/container-reads.ts';
import { containerResolvers } from './control/containers/container-resolvers.ts';
import { ContainerService } from './control/containers/container-service.ts';
import { UrlService } from './control/containers/url-service.ts';
import type { ClusterLinks } from './control/controllers/cluster-links.ts';
import { OptionService } from './control/options/option-service.ts';
import { ClusterQuestions } from './control/questions/cluster-questions.ts';
import { RingChangeService } from './control/rings/ring-change-service.ts';

export interface ObjectStorageOptions extends SubgraphContext {
  readonly links: Pick<ClusterLinks, 'start' | 'drain' | 'stop'>;
  /** The region in the signatures of users' requests. */
  readonly region: string;
}

export function createObjectStorageSubgraph(context: ObjectStorageOptions): RunningSubgraph {
  const { db, sdl, commits, cursors, links } = context;
  const questions = new ClusterQuestions(context);
  const reads = new ObjectStorageReads(db);
  const containers = containerResolvers({
    ...{ reads: new ContainerReads(db, questions), rows: reads },
    ...{ service: new ContainerService(context, questions), urls: new UrlService(context) },
  });
  const resolvers = controlPlaneResolvers({
    db: context.db,
    reads,
    clusters: new ClusterService(context),
    services: new ClusterServices(context, questions),
    options: new OptionService(context, questions),
    ringChanges: new RingChangeService(context),
    feed: context.feed,
  });
  const attention = objectAttention(context.db);
  measureAttention(context.registry, attention);
  const revived = new RevivedAccess({
    ...context,
    memories: context.revokedMemories('revoked-keys'),
    access: accessKeys,
  });
  return {
    subgraph: createSubgraph({
      name: 'object-storage',
      sdl,
      commits,
      cursors,
      resolvers: [
        attentionResolvers(attention),
        resolvers,
        accountResolvers(db, new AccessKeyService(context)),
        containers,
      ],
    }),
    start: async () => {
      await revived.start();
      await links.start();
    },
    drain: () => links.drain(),
    stop: async () => {
      await links.stop();
      await revived.stop();
    },
  };
}
