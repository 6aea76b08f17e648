// The API calls of users. `create` refuses an existing object, `update` and `delete` a missing one. Of several concurrent calls exactly one
// wins, whatever clusters they arrive at.

import type { Conditions, ContainerStat, ObjectStat } from '../../../engine/namespace/namespace.ts';
import {
  type Accepted,
  bodyHeaders,
  newObjectHeaders,
  readConditions,
  writeConditions,
} from '../../../engine/s3/accepted.ts';
import { uploadOf } from '../../../engine/s3/body.ts';
import { type Call, sendEmpty, sendJson } from '../../../engine/s3/call.ts';
import { writeConditionsOf } from '../../../engine/s3/conditions.ts';
import { ageHeaderOf, ageMsOf, getNearest, wantsNearest } from '../../../engine/s3/nearest.ts';
import { objectHeadersOf, overrides } from '../../../engine/s3/object-headers.ts';
import { getObject } from '../../../engine/s3/operations/objects.ts';
import { optionOf } from '../../../engine/s3/option.ts';
import { ObjectError } from '../../../wire/object-error.ts';
import type { ApiContext } from './api-context.ts';
import { ApiError } from './errors.ts';
import { locate, placeIn } from './located.ts';
import { placeOf } from './place.ts';

export interface ApiOperation {
  readonly method: string;
  /** What the path of the call names. */
  readonly names: 'NOTHING' | 'CONTAINER' | 'OBJECT' | 'OBJECT OR ID';
  /** Parameters and headers besides `project`. Any other is refused. */
  readonly accepted?: Accepted;
  /** The call supports NEAREST reads. */
  readonly takesNearest?: true;
  readonly answer: (call: Call, context: ApiContext) => Promise<void>;
}

const mostListed = 1_000;

const page = ['prefix', 'after', 'limit'];
const written: Accepted = { headers: [...bodyHeaders, ...newObjectHeaders, ...writeConditions] };

/** By name; without `login`. */
export const operations: Readonly<Record<string, ApiOperation>> = {
  list_container: { method: 'GET', names: 'NOTHING', accepted: { query: page }, answer: listContainers },
  create_container: { method: 'PUT', names: 'CONTAINER', accepted: { query: ['option'] }, answer: createContainer },
  delete_container: { method: 'DELETE', names: 'CONTAINER', answer: deleteContainer },
  list_object: {
    ...{ method: 'GET', names: 'CONTAINER', answer: listObjects },
    accepted: { query: [...page, 'delimiter'] },
  },
  create_object: {
    ...{ method: 'PUT', names: 'OBJECT', accepted: written },
    answer: (call) => put(call, { ifNoneMatch: ['*'] }),
  },
  update_object: {
    ...{ method: 'PUT', names: 'OBJECT', accepted: written },
    answer: (call) => put(call, { ifMatch: ['*'] }),
  },
  stat_object: { method: 'GET', names: 'OBJECT', takesNearest: true, answer: statObject },
  locate_object: { method: 'GET', names: 'OBJECT OR ID', accepted: { query: ['id'] }, answer: locateObject },
  download_object: {
    ...{ method: 'GET', names: 'OBJECT', takesNearest: true, answer: getObject },
    accepted: { query: overrides.map((name) => `response-${name}`), headers: readConditions },
  },
  delete_object: { method: 'DELETE', names: 'OBJECT', accepted: { headers: ['if-match'] }, answer: deleteObject },
};

async function listContainers(call: Call): Promise<void> {
  const { context, caller } = call;
  const { prefix, after, limit } = pageOf(call);
  const found = await context.namespace.containers(caller, { prefix, after, limit: limit + 1 });
  const page = found.slice(0, limit);
  const next = found.length > page.length ? (page.at(-1)?.name ?? null) : null;
  await sendJson(call, 200, { containers: page.map(shownContainer), next });
}

async function createContainer(call: Call): Promise<void> {
  const { context, caller, s3Address } = call;
  const option = s3Address.query.get('option');
  const made = await context.namespace.createContainer(
    caller,
    s3Address.bucket,
    option === undefined ? {} : { option },
  );
  await sendJson(call, 201, shownContainer(made));
}

async function deleteContainer(call: Call): Promise<void> {
  await call.context.namespace.deleteContainer(call.caller, call.s3Address.bucket);
  await sendEmpty(call, 204);
}

async function listObjects(call: Call): Promise<void> {
  const { context, caller, s3Address } = call;
  const query = { ...pageOf(call), delimiter: s3Address.query.get('delimiter') ?? '' };
  const { objects, prefixes, isTruncated, next } = await context.namespace.list(caller, s3Address.bucket, query);
  await sendJson(call, 200, { objects: objects.map(shownObject), prefixes, next: isTruncated ? next : null });
}

async function put(call: Call, always: Conditions): Promise<void> {
  const { context, caller, s3Address } = call;
  const given = writeConditionsOf(call);
  if (always.ifNoneMatch !== undefined && given?.ifMatch !== undefined)
    throw new ApiError(400, 'INVALID_REQUEST', 'A new object has no entity tag: use update_object with If-Match.');
  if (always.ifMatch !== undefined && given?.ifNoneMatch !== undefined)
    throw new ApiError(
      400,
      'INVALID_REQUEST',
      'An update needs an existing object: use create_object with If-None-Match.',
    );
  const [upload, headers] = [uploadOf(call), objectHeadersOf(call)];
  const stored = await context.namespace
    .put(caller, s3Address.bucket, s3Address.key, { ...upload, ...optionOf(call) }, headers, given ?? always)
    .catch((error: unknown) => {
      const exists =
        error instanceof ObjectError && error.code === 'PRECONDITION_FAILED' && always.ifNoneMatch !== undefined;
      throw exists ? new ApiError(412, 'OBJECT_EXISTS', 'the object already exists: update it') : error;
    });
  await sendJson(call, always.ifNoneMatch === undefined ? 200 : 201, shownObject(stored), { etag: `"${stored.etag}"` });
}

async function statObject(call: Call, { map }: ApiContext): Promise<void> {
  const { context, caller, s3Address } = call;
  if (wantsNearest(call)) {
    const got = await getNearest(call);
    const shown = { ...shownObject(got.stat), container: shownContainer(got.container) };
    // A NEAREST read does not ask other replicas.
    const placed = { ...placeIn(map, got.container, got.stat), replicas: [] };
    return sendJson(call, 200, { ...shown, ...placed, ageMs: ageMsOf(got) }, ageHeaderOf(got));
  }
  const [stat, container] = await Promise.all([
    context.namespace.stat(caller, s3Address.bucket, s3Address.key),
    context.namespace.statContainer(caller, s3Address.bucket),
  ]);
  const located = await locate(map, container, stat);
  await sendJson(call, 200, { ...shownObject(stat), container: shownContainer(container), ...located });
}

async function locateObject(call: Call, context: ApiContext): Promise<void> {
  await sendJson(call, 200, await placeOf(call, context));
}

async function deleteObject(call: Call): Promise<void> {
  const { context, caller, s3Address } = call;
  await context.namespace.delete(
    caller,
    s3Address.bucket,
    s3Address.key,
    writeConditionsOf(call) ?? { ifMatch: ['*'] },
  );
  await sendEmpty(call, 204);
}

function pageOf({ s3Address: { query } }: Call): {
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
