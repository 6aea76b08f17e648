// Which operation a request asks for.
import { type Call, header, type Operation } from './call.ts';
import { notImplemented, S3Error } from './errors.ts';
import { refuseNearest } from './nearest.ts';
import { checkVersion } from './operations/arguments.ts';
import * as buckets from './operations/buckets.ts';
import * as copies from './operations/copies.ts';
import * as listings from './operations/listings.ts';
import * as multipart from './operations/multipart.ts';
import * as objects from './operations/objects.ts';
import { subResource, subResources } from './operations/sub-resources.ts';

export function operationOf(call: Call): Operation {
  const operation = operationFor(call);
  if (operation !== objects.getObject && operation !== objects.headObject) refuseNearest(call);
  return operation;
}

function operationFor(call: Call): Operation {
  const { target } = call;
  buckets.checkExpectedOwner(call);
  if (target.bucket === '') return ofService(call);
  const named = target.pairs.find(([name]) => subResources.has(name))?.[0];
  if (named !== undefined)
    return subResource(call.request.method ?? '', named, target.key === '' ? 'BUCKET' : 'OBJECT');
  if (target.key === '') return ofBucket(call);
  checkVersion(target.query.get('versionId'));
  return ofObject(call);
}

function ofService({ request }: Call): Operation {
  if (request.method === 'GET') return buckets.listBuckets;
  throw methodNotAllowed();
}

function ofBucket({ request, target }: Call): Operation {
  const { query } = target;
  switch (request.method) {
    case 'GET':
      if (query.has('location')) return buckets.getLocation;
      if (query.has('uploads')) return multipart.listUploads;
      if (query.has('versions')) return listings.listVersions;
      return query.get('list-type') === '2' ? listings.listObjectsV2 : listings.listObjects;
    case 'HEAD':
      return buckets.headBucket;
    case 'PUT':
      return buckets.createBucket;
    case 'DELETE':
      return buckets.deleteBucket;
    case 'POST':
      if (query.has('delete')) return objects.deleteObjects;
      throw notImplemented('An upload by an HTML form');
    default:
      throw methodNotAllowed();
  }
}

function ofObject(call: Call): Operation {
  const { query } = call.target;
  const isOfUpload = query.has('uploadId');
  const isCopy = header(call, 'x-amz-copy-source') !== undefined;
  switch (call.request.method) {
    case 'GET':
      return isOfUpload ? multipart.listParts : objects.getObject;
    case 'HEAD':
      return objects.headObject;
    case 'PUT':
      if (isOfUpload) return isCopy ? copies.uploadPartCopy : multipart.uploadPart;
      return isCopy ? copies.copyObject : objects.putObject;
    case 'DELETE':
      return isOfUpload ? multipart.abortUpload : objects.deleteObject;
    case 'POST':
      if (query.has('uploads')) return multipart.createUpload;
      if (isOfUpload) return multipart.completeUpload;
      throw notImplemented('This POST');
    default:
      throw methodNotAllowed();
  }
}

function methodNotAllowed(): S3Error {
  return new S3Error('MethodNotAllowed', 'This method is not allowed on this resource.');
}
