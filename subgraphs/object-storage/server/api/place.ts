// `locate_object`: on which ring an object is, and which clusters of that ring hold a replica, by its id or its name. The resolver of this cluster
// says it. Of a name that this cluster's replica does not know a majority is asked which container has it, and then the resolver again.

import { mostObjectId, objectIdOf, readObjectId } from '../../namespace/object-id.ts';
import type { Call } from '../../s3/call.ts';
import { type Place, type Resolved, resolvedShape, resolvePath } from '../../wire/resolve-wire.ts';
import type { FederationMap } from '../federation-map.ts';
import { NoServiceError } from '../service-client.ts';
import type { ApiGround } from './api-ground.ts';
import { ApiError } from './errors.ts';

interface ShownPlace extends Omit<Place, 'clusters'> {
  /** The option that has the ring; null: none, as the core ring. */
  readonly option: string | null;
  /** By name; during a change of the ring those of both. */
  readonly clusters: readonly string[];
}

export interface ObjectPlaces {
  readonly id: string;
  readonly object: ShownPlace;
  /** Where the container's name is; null: it was asked for by id. */
  readonly container: ShownPlace | null;
  /** Where its bytes are; null: with its name. Absent: it was asked for by id, or this cluster's replica does not know it. */
  readonly bytes?: ShownPlace | null;
}

/** Throws ApiError, ObjectError. */
export async function placeOf(call: Call, ground: ApiGround): Promise<ObjectPlaces> {
  const { target } = call;
  const id = target.query.get('id');
  if (id !== undefined) return shown(ground.map, await byId(ground, id));
  const { bucket: container, key: object } = target;
  const resolved = await ask(ground, { account: call.caller.accountId, container, object });
  if (resolved.id !== null) return shown(ground.map, resolved);
  const { id: containerId, option } = await call.ground.namespace.statContainer(call.caller, container);
  const ring = ground.map.optionByName(option)?.number ?? Number(option);
  const again = await byId(ground, objectIdOf({ ring, containerId, name: object }));
  return shown(ground.map, { ...again, container: resolved.container });
}

function byId(ground: ApiGround, id: string): Promise<Resolved> {
  if (Buffer.byteLength(id) > mostObjectId || readObjectId(id) === undefined)
    throw new ApiError(
      400,
      'INVALID_REQUEST',
      'An id of an object is RING:CONTAINER-ID/NAME, as stat_object shows it.',
    );
  return ask(ground, { id });
}

function ask({ resolvers }: ApiGround, query: Readonly<Record<string, string>>): Promise<Resolved> {
  const path = `${resolvePath}?${new URLSearchParams(query)}`;
  return resolvers.ask({ method: 'GET', path }, resolvedShape).catch((error: unknown) => {
    if (!(error instanceof NoServiceError)) throw error;
    throw new ApiError(503, 'NO_RESOLVER', `${error.message}: ask another cluster, or use stat_object.`, {
      'retry-after': '5',
    });
  });
}

function shown(map: FederationMap, { id, objects, container, reason, bytes }: Resolved): ObjectPlaces {
  if (id === null || objects === null)
    throw new ApiError(
      404,
      'NO_RING',
      `It is not known where this object is: ${reason ?? 'the resolver knows no such ring'}.`,
    );
  return {
    ...{ id, object: shownPlace(map, objects), container: container && shownPlace(map, container) },
    ...(bytes === undefined ? {} : { bytes: bytes && shownPlace(map, bytes) }),
  };
}

function shownPlace(map: FederationMap, { clusters, ...place }: Place): ShownPlace {
  const option = map.optionByNumber(place.ring)?.name ?? null;
  return { ...place, option, clusters: clusters.map(({ name }) => name) };
}
