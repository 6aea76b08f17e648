// The entity of an open drawer: from the store, where the feed changes it; read once when the store does not have it yet.
import { useCallback } from 'react';
import { useEntities, useLiveState, usePage } from '../context.ts';
import type { GraphqlDocument } from '../graph/request.ts';
import type { Entity, EntityKind } from '../live/entity-kind.ts';
import { useDetail } from './use-detail.ts';

export interface Opened<Kind, Detail> {
  readonly entity: Kind | undefined;
  /** The rest of the document, without the entity. Null until it is read. */
  readonly detail: Detail | null;
  /** Shown while there is no entity. */
  readonly instead: string;
}

/** `document` has one root field and takes `$id`; it selects the fields of the kind. */
export function useOpened<Kind extends Entity, Detail extends Kind>(
  kind: EntityKind<Kind>,
  document: GraphqlDocument<Readonly<Record<string, Detail | null>>, { readonly id: string }>,
  id: string,
): Opened<Kind, Detail> {
  const { store } = usePage();
  const { cursor } = useLiveState();
  const entity = useEntities(kind).get(id);
  const take = useCallback((detail: Detail) => store.take(kind, [detail]), [store, kind]);
  const { detail, isGone, failure } = useDetail(document, id, entity?.version ?? 0, take);
  const instead =
    failure?.message ?? (cursor === null || !isGone ? 'Loading…' : 'Not found: deleted, or in none of your projects.');
  return { entity, detail, instead };
}
