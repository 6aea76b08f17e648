// `locate_object`: the ring of an object and the clusters that hold a replica, by the object's id or name. This cluster's resolver answers.
// If this cluster's replica does not know the name, a majority is asked for its container, and then the resolver again.

import type { FederationMap } from '../../../engine/federation/federation-map.ts';
import { mostObjectId, objectIdOf, readObjectId } from '../../../engine/namespace/object-id.ts';
import type { Call } from '../../../engine/s3/call.ts';
import { type Place, type Resolved, resolvedShape, resolvePath } from '../../../wire/resolve-wire.ts';
import { NoServiceError } from '../service-client.ts';
import type { ApiContext } from './api-context.ts';
import { ApiError } from './errors.ts';

interface ShownPlace extends Omit<Place, 'clusters'> {
  /** The option of the ring. Null for the core ring, which has none. */
  readonly option: string | null;
  /** By name; during a change of the ring, those of both rings. */
  readonly clusters: readonly string[];
}

interface ObjectPlaces {
  readonly id: string;
  readonly object: ShownPlace;
  /** Place of the container's name. Null if the request had an id. */
  readonly container: ShownPlace | null;
  /** Place of its bytes. Null if stored with its name. Absent if the request had an id, or if this cluster's replica does not know it. */
  readonly bytes?: ShownPlace | null;
}

/** Throws ApiError, ObjectError. */
export async function placeOf(call: Call, context: ApiContext): Promise<ObjectPlaces> {
  const { s3Address } = call;
  const id = s3Address.query.get('id');
  if (id !== undefined) return shown(context.map, await byId(context, id));
  const { bucket: container, key: object } = s3Address;
  const resolved = await ask(context, { account: call.caller.accountId, container, object });
  if (resolved.id !== null) return shown(context.map, resolved);
  const { id: containerId, option } = await call.context.namespace.statContainer(call.caller, container);
  const ring = context.map.optionByName(option)?.number ?? Number(option);
  const again = await byId(context, objectIdOf({ ring, containerId, name: object }));
  return shown(context.map, { ...again, container: resolved.container });
}

function byId(context: ApiContext, id: string): Promise<Resolved> {
  if (Buffer.byteLength(id) > mostObjectId || readObjectId(id) === undefined)
    throw new ApiError(400, 'INVALID_REQUEST', 'An object id is RING:CONTAINER-ID/NAME, as stat_object shows it.');
  return ask(context, { id });
}

function ask({ resolvers }: ApiContext, query: Readonly<Record<string, string>>): Promise<Resolved> {
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
      `Cannot find out where this object is: ${reason ?? 'the resolver does not know the ring'}.`,
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
