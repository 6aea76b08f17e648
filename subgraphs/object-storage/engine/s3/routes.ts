// Maps a request to its operation, and to what that operation accepts.
import {
  type Accepted,
  bodyHeaders,
  copyHeaders,
  newObjectHeaders,
  readConditions,
  refuseUnknown,
  writeConditions,
} from './accepted.ts';
import { type Call, header, type Operation } from './call.ts';
import { notImplemented, S3Error } from './errors.ts';
import { refuseNearest } from './nearest.ts';
import { overrides } from './object-headers.ts';
import { checkVersion } from './operations/arguments.ts';
import * as buckets from './operations/buckets.ts';
import * as copies from './operations/copies.ts';
import * as listings from './operations/listings.ts';
import * as multipart from './operations/multipart.ts';
import * as objects from './operations/objects.ts';
import { isSubResource, subResource } from './operations/sub-resources.ts';
import { optionHeader } from './option.ts';

interface Route {
  readonly operation: Operation;
  readonly accepted: Accepted;
}

const route = (operation: Operation, accepted: Accepted = {}): Route => ({ operation, accepted });

const readQuery = [
  ...['versionId', 'partNumber', 'x-amz-checksum-mode', ...overrides.map((name) => `response-${name}`)],
];
const listingQuery = ['delimiter', 'encoding-type', 'max-keys', 'prefix'];
const listingHeaders = ['x-amz-optional-object-attributes'];
const partQuery = ['partNumber', 'uploadId'];

const routes = {
  listBuckets: route(buckets.listBuckets, { query: ['continuation-token', 'max-buckets', 'prefix'] }),
  createBucket: route(buckets.createBucket, {
    headers: [
      ...[...bodyHeaders, optionHeader, 'x-amz-acl', 'x-amz-bucket-object-lock-enabled', 'x-amz-object-ownership'],
    ],
  }),
  headBucket: route(buckets.headBucket),
  deleteBucket: route(buckets.deleteBucket),
  getLocation: route(buckets.getLocation, { query: ['location'] }),
  listObjects: route(listings.listObjects, { query: [...listingQuery, 'marker'], headers: listingHeaders }),
  listObjectsV2: route(listings.listObjectsV2, {
    query: [...listingQuery, 'list-type', 'continuation-token', 'fetch-owner', 'start-after'],
    headers: listingHeaders,
  }),
  listVersions: route(listings.listVersions, {
    query: [...listingQuery, 'versions', 'key-marker', 'version-id-marker'],
    headers: listingHeaders,
  }),
  listUploads: route(multipart.listUploads, {
    query: ['uploads', 'delimiter', 'encoding-type', 'key-marker', 'max-uploads', 'prefix', 'upload-id-marker'],
  }),
  deleteObjects: route(objects.deleteObjects, {
    query: ['delete'],
    headers: [...bodyHeaders, 'x-amz-bypass-governance-retention'],
  }),
  putObject: route(objects.putObject, { headers: [...bodyHeaders, ...newObjectHeaders, ...writeConditions] }),
  getObject: route(objects.getObject, { query: readQuery, headers: [...readConditions, 'x-amz-checksum-mode'] }),
  headObject: route(objects.headObject, { query: readQuery, headers: [...readConditions, 'x-amz-checksum-mode'] }),
  deleteObject: route(objects.deleteObject, {
    query: ['versionId'],
    headers: ['if-match', 'x-amz-bypass-governance-retention'],
  }),
  copyObject: route(copies.copyObject, {
    headers: [
      ...[...copyHeaders, ...newObjectHeaders, ...writeConditions],
      ...['x-amz-metadata-directive', 'x-amz-tagging-directive'],
    ],
  }),
  createUpload: route(multipart.createUpload, {
    query: ['uploads'],
    headers: [...newObjectHeaders, 'x-amz-checksum-algorithm'],
  }),
  uploadPart: route(multipart.uploadPart, { query: partQuery, headers: bodyHeaders }),
  uploadPartCopy: route(copies.uploadPartCopy, {
    query: partQuery,
    headers: [...copyHeaders, 'x-amz-copy-source-range'],
  }),
  completeUpload: route(multipart.completeUpload, {
    query: ['uploadId'],
    headers: [...writeConditions, 'x-amz-mp-object-size'],
  }),
  abortUpload: route(multipart.abortUpload, { query: ['uploadId'] }),
  listParts: route(multipart.listParts, { query: ['uploadId', 'encoding-type', 'max-parts', 'part-number-marker'] }),
} as const;

/** Throws S3Error NotImplemented for anything that the operation does not accept. */
export function operationOf(call: Call): Operation {
  buckets.checkExpectedOwner(call);
  const { operation, accepted } = routeOf(call);
  if (operation !== objects.getObject && operation !== objects.headObject) refuseNearest(call);
  refuseUnknown(call, accepted);
  checkVersion(call.s3Address.query.get('versionId'));
  return operation;
}

function routeOf(call: Call): Route {
  const { s3Address } = call;
  if (s3Address.bucket === '') return ofService(call);
  const level = s3Address.key === '' ? 'BUCKET' : 'OBJECT';
  const named = s3Address.pairs.find(([name]) => isSubResource(name, level))?.[0];
  if (named !== undefined)
    return route(subResource(call.request.method ?? '', named, level), {
      query: level === 'BUCKET' ? [named] : [named, 'versionId'],
    });
  return s3Address.key === '' ? ofBucket(call) : ofObject(call);
}

function ofService({ request }: Call): Route {
  if (request.method === 'GET') return routes.listBuckets;
  throw methodNotAllowed();
}

function ofBucket({ request, s3Address }: Call): Route {
  const { query } = s3Address;
  switch (request.method) {
    case 'GET':
      if (query.has('location')) return routes.getLocation;
      if (query.has('uploads')) return routes.listUploads;
      if (query.has('versions')) return routes.listVersions;
      return query.get('list-type') === '2' ? routes.listObjectsV2 : routes.listObjects;
    case 'HEAD':
      return routes.headBucket;
    case 'PUT':
      return routes.createBucket;
    case 'DELETE':
      return routes.deleteBucket;
    case 'POST':
      if (query.has('delete')) return routes.deleteObjects;
      throw notImplemented('An upload by an HTML form');
    default:
      throw methodNotAllowed();
  }
}

function ofObject(call: Call): Route {
  const { query } = call.s3Address;
  const isOfUpload = query.has('uploadId');
  const isCopy = header(call, 'x-amz-copy-source') !== undefined;
  switch (call.request.method) {
    case 'GET':
      return isOfUpload ? routes.listParts : routes.getObject;
    case 'HEAD':
      return routes.headObject;
    case 'PUT':
      if (isOfUpload) return isCopy ? routes.uploadPartCopy : routes.uploadPart;
      return isCopy ? routes.copyObject : routes.putObject;
    case 'DELETE':
      return isOfUpload ? routes.abortUpload : routes.deleteObject;
    case 'POST':
      if (query.has('uploads')) return routes.createUpload;
      if (isOfUpload) return routes.completeUpload;
      throw notImplemented('This POST');
    default:
      throw methodNotAllowed();
  }
}

function methodNotAllowed(): S3Error {
  return new S3Error('MethodNotAllowed', 'This method is not allowed on this resource.');
}
