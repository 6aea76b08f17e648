// The object storage subgraph: its services and resolvers.
import { createSubgraph } from '../../platform/graph/create-subgraph.ts';
import type { RunningSubgraph, SubgraphGround } from '../../platform/subgraph-row.ts';
import { AccessKeyService } from './centre/access-key-service.ts';
import { accountResolvers } from './centre/account-resolvers.ts';
import type { ClusterLinks } from './centre/cluster-links.ts';
import { ClusterQuestions } from './centre/cluster-questions.ts';
import { ClusterService } from './centre/cluster-service.ts';
import { ClusterServices } from './centre/cluster-services.ts';
import { ContainerReads } from './centre/container-reads.ts';
import { containerResolvers } from './centre/container-resolvers.ts';
import { ContainerService } from './centre/container-service.ts';
import { OptionService } from './centre/option-service.ts';
import { ObjectStorageReads } from './centre/reads.ts';
import { centreResolvers } from './centre/resolvers.ts';
import { RingChangeService } from './centre/ring-change-service.ts';
import { UrlService } from './centre/url-service.ts';

export interface ObjectStorageOptions extends SubgraphGround {
  readonly links: Pick<ClusterLinks, 'start' | 'drain' | 'stop'>;
  /** For which users of clusters sign their requests. */
  readonly region: string;
}

export function createObjectStorageSubgraph(ground: ObjectStorageOptions): RunningSubgraph {
  const { db, sdl, commits, cursors, links } = ground;
  const questions = new ClusterQuestions(ground);
  const containers = containerResolvers(
    new ContainerReads(db, questions),
    new ContainerService(ground, questions),
    new UrlService(ground),
  );
  const resolvers = centreResolvers({
    reads: new ObjectStorageReads(db),
    clusters: new ClusterService(ground),
    services: new ClusterServices(ground, questions),
    options: new OptionService(ground, questions),
    ringChanges: new RingChangeService(ground),
    feed: ground.feed,
  });
  return {
    subgraph: createSubgraph({
      name: 'object-storage',
      sdl,
      commits,
      cursors,
      resolvers: [resolvers, accountResolvers(db, new AccessKeyService(ground)), containers],
    }),
    start: () => links.start(),
    drain: () => links.drain(),
    stop: () => links.stop(),
  };
}
