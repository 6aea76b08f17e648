// What each call of a user does. `create` refuses what exists, `update` and `delete` what does not: exactly one of several at once wins,
// whatever clusters they come in at.
import { ObjectError } from '../../namespace/errors.ts';
import type { Conditions, ContainerStat, ObjectStat } from '../../namespace/namespace.ts';
import { uploadOf } from '../../s3/body.ts';
import { type Call, sendEmpty, sendJson } from '../../s3/call.ts';
import { writeConditionsOf } from '../../s3/conditions.ts';
import { ageHeaderOf, ageMsOf, getNearest, wantsNearest } from '../../s3/nearest.ts';
import { objectHeadersOf, refuseUnknownWishes } from '../../s3/object-headers.ts';
import { getObject } from '../../s3/operations/objects.ts';
import { optionOf } from '../../s3/option.ts';
import type { ApiGround } from './api-ground.ts';
import { ApiError } from './errors.ts';
import { locate, placeIn } from './located.ts';
import { placeOf } from './place.ts';

export interface ApiOperation {
  readonly method: string;
  /** What its path has. */
  readonly names: 'NOTHING' | 'CONTAINER' | 'OBJECT' | 'OBJECT OR ID';
  /** A NEAREST read is an answer to it. */
  readonly takesNearest?: true;
  readonly answer: (call: Call, ground: ApiGround) => Promise<void>;
}

const mostListed = 1_000;

/** By name, beside `login`. */
export const operations: Readonly<Record<string, ApiOperation>> = {
  list_container: { method: 'GET', names: 'NOTHING', answer: listContainers },
  create_container: { method: 'PUT', names: 'CONTAINER', answer: createContainer },
  delete_container: { method: 'DELETE', names: 'CONTAINER', answer: deleteContainer },
  list_object: { method: 'GET', names: 'CONTAINER', answer: listObjects },
  create_object: { method: 'PUT', names: 'OBJECT', answer: (call) => put(call, { ifNoneMatch: ['*'] }) },
  update_object: { method: 'PUT', names: 'OBJECT', answer: (call) => put(call, { ifMatch: ['*'] }) },
  stat_object: { method: 'GET', names: 'OBJECT', takesNearest: true, answer: statObject },
  locate_object: { method: 'GET', names: 'OBJECT OR ID', answer: locateObject },
  download_object: { method: 'GET', names: 'OBJECT', takesNearest: true, answer: getObject },
  delete_object: { method: 'DELETE', names: 'OBJECT', answer: deleteObject },
};

async function listContainers(call: Call): Promise<void> {
  const { ground, caller } = call;
  const { prefix, after, limit } = pageOf(call);
  // Names are ASCII: they have one order.
  const found = (await ground.namespace.containers(caller))
    .filter(({ name }) => name.startsWith(prefix) && name > after)
    .sort((one, other) => (one.name < other.name ? -1 : 1));
  const page = found.slice(0, limit);
  const next = found.length > page.length ? (page.at(-1)?.name ?? null) : null;
  await sendJson(call, 200, { containers: page.map(shownContainer), next });
}

async function createContainer(call: Call): Promise<void> {
  const { ground, caller, target } = call;
  const option = target.query.get('option');
  const made = await ground.namespace.createContainer(caller, target.bucket, option === undefined ? {} : { option });
  await sendJson(call, 201, shownContainer(made));
}

async function deleteContainer(call: Call): Promise<void> {
  await call.ground.namespace.deleteContainer(call.caller, call.target.bucket);
  await sendEmpty(call, 204);
}

async function listObjects(call: Call): Promise<void> {
  const { ground, caller, target } = call;
  const query = { ...pageOf(call), delimiter: target.query.get('delimiter') ?? '' };
  const { objects, prefixes, isTruncated, next } = await ground.namespace.list(caller, target.bucket, query);
  await sendJson(call, 200, { objects: objects.map(shownObject), prefixes, next: isTruncated ? next : null });
}

async function put(call: Call, always: Conditions): Promise<void> {
  const { ground, caller, target } = call;
  refuseUnknownWishes(call);
  const given = writeConditionsOf(call);
  if (always.ifNoneMatch !== undefined && given?.ifMatch !== undefined)
    throw new ApiError(
      400,
      'INVALID_REQUEST',
      'What is created has no entity tag yet: use update_object with If-Match.',
    );
  if (always.ifMatch !== undefined && given?.ifNoneMatch !== undefined)
    throw new ApiError(400, 'INVALID_REQUEST', 'What is updated is there: use create_object with If-None-Match.');
  const [upload, headers] = [uploadOf(call), objectHeadersOf(call)];
  const stored = await ground.namespace
    .put(caller, target.bucket, target.key, { ...upload, ...optionOf(call) }, headers, given ?? always)
    .catch((error: unknown) => {
      const exists =
        error instanceof ObjectError && error.code === 'PRECONDITION_FAILED' && always.ifNoneMatch !== undefined;
      throw exists ? new ApiError(412, 'OBJECT_EXISTS', 'there is such an object: update it') : error;
    });
  await sendJson(call, always.ifNoneMatch === undefined ? 200 : 201, shownObject(stored), { etag: `"${stored.etag}"` });
}

async function statObject(call: Call, { map }: ApiGround): Promise<void> {
  const { ground, caller, target } = call;
  if (wantsNearest(call)) {
    const got = await getNearest(call);
    const shown = { ...shownObject(got.stat), container: shownContainer(got.container) };
    // The other replicas are not asked.
    const placed = { ...placeIn(map, got.container, got.stat), replicas: [] };
    return sendJson(call, 200, { ...shown, ...placed, ageMs: ageMsOf(got) }, ageHeaderOf(got));
  }
  const [stat, container] = await Promise.all([
    ground.namespace.stat(caller, target.bucket, target.key),
    ground.namespace.statContainer(caller, target.bucket),
  ]);
  const located = await locate(map, container, stat);
  await sendJson(call, 200, { ...shownObject(stat), container: shownContainer(container), ...located });
}

async function locateObject(call: Call, ground: ApiGround): Promise<void> {
  await sendJson(call, 200, await placeOf(call, ground));
}

async function deleteObject(call: Call): Promise<void> {
  const { ground, caller, target } = call;
  await ground.namespace.delete(caller, target.bucket, target.key, writeConditionsOf(call) ?? { ifMatch: ['*'] });
  await sendEmpty(call, 204);
}

function pageOf({ target: { query } }: Call): {
  readonly prefix: string;
  readonly after: string;
  readonly limit: number;
} {
  const limit = query.get('limit') ?? String(mostListed);
  if (!/^\d{1,4}$/.test(limit) || Number(limit) < 1 || Number(limit) > mostListed)
    throw new ApiError(400, 'INVALID_REQUEST', `limit is from 1 to ${mostListed}.`);
  return { prefix: query.get('prefix') ?? '', after: query.get('after') ?? '', limit: Number(limit) };
}

function shownContainer({ name, id, option, createdAt }: ContainerStat) {
  return { name, id, option, createdAt };
}

function shownObject(stat: ObjectStat) {
  const { name, sizeBytes, etag, modifiedAt, version, contentType, parts = null, metadata } = stat;
  return { name, sizeBytes, etag, modifiedAt, version, contentType, parts, metadata };
}
