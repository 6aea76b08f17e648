// Reads the clusters, for administrators only. Reports of controllers come without a status change, so the clusters are polled.
import { ObjectsClustersDocument, ObjectsViewerDocument } from '../../../../generated/dashboard/graphql.ts';
import { type Page, readPages } from '../../graph/read-pages.ts';
import type { Requester } from '../../graph/request.ts';
import type { Entity } from '../../live/entity-kind.ts';
import { entitiesOf } from '../../live/live-state.ts';
import type { PolledPage } from '../../page.ts';
import { type Cluster, clusterKind } from './kinds/cluster.ts';

/** 20 in each. */
const maxPages = 13;

export async function readLists(requester: Requester): Promise<readonly Entity[]> {
  const { me } = await requester.request(ObjectsViewerDocument, {});
  return me.admin ? (await readClusters(requester)).nodes : [];
}

export async function poll({ store, requester, signal }: PolledPage): Promise<void> {
  store.takeIncomplete();
  if (store.state.viewer?.admin !== true) return;
  const before = [...entitiesOf(store.state, clusterKind).keys()];
  const { nodes } = await readClusters(requester);
  if (!signal.aborted) store.take(clusterKind, nodes, before);
}

function readClusters(requester: Requester): Promise<Page<Cluster>> {
  return readPages<Cluster>(
    maxPages,
    null,
    async (after) => (await requester.request(ObjectsClustersDocument, { after })).objectClusters,
  );
}
