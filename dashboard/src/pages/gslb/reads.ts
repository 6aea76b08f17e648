// Reads the names of the page, bounded. They are read again after a change without its subject, and from time to time.
import { GslbListDocument } from '../../../../generated/dashboard/graphql.ts';
import { type Page, readPages } from '../../graph/read-pages.ts';
import type { Requester } from '../../graph/request.ts';
import type { Entity } from '../../live/entity-kind.ts';
import { entitiesOf } from '../../live/live-state.ts';
import type { PolledPage } from '../../page.ts';
import { type Name, nameKind } from './kinds/name.ts';

/** 100 in each. */
export const maxPages = 10;
const roundsToLists = 6;

export async function readLists(requester: Requester): Promise<readonly Entity[]> {
  return (await readNames(requester)).nodes;
}

export async function poll({ store, requester, signal }: PolledPage, round: number): Promise<void> {
  if (!store.takeIncomplete() && round % roundsToLists !== 0) return;
  const before = [...entitiesOf(store.state, nameKind).keys()];
  const names = await readNames(requester);
  if (!signal.aborted) store.take(nameKind, names.nodes, names.pageInfo.hasNextPage ? [] : before);
}

function readNames(requester: Requester): Promise<Page<Name>> {
  return readPages<Name>(maxPages, null, async (after) => (await requester.request(GslbListDocument, { after })).gslbs);
}
