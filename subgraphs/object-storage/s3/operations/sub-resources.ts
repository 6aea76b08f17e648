// What clients ask of buckets and objects beside their bytes: the answers of S3 for a bucket that has none of it.
import { type Call, type Operation, sendEmpty, sendXml } from '../call.ts';
import { notImplemented, type S3Code, S3Error } from '../errors.ts';
import { element, text, xmlDocument } from '../xml.ts';
import { owner } from './buckets.ts';

type Answer = { readonly missing: S3Code } | ((call: Call) => string);

function emptyDocument(root: string, content = ''): Answer {
  return () => xmlDocument(root, content);
}

/** The owner may do everything, and nobody else anything. */
function acl(call: Call): string {
  const grantee = owner(call, 'Grantee').replace(
    '<Grantee>',
    '<Grantee xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:type="CanonicalUser">',
  );
  const grant = element('Grant', grantee + text('Permission', 'FULL_CONTROL'));
  return xmlDocument('AccessControlPolicy', owner(call) + element('AccessControlList', grant));
}

const ofBucket: Readonly<Record<string, Answer>> = {
  accelerate: emptyDocument('AccelerateConfiguration'),
  acl,
  cors: { missing: 'NoSuchCORSConfiguration' },
  encryption: { missing: 'ServerSideEncryptionConfigurationNotFoundError' },
  lifecycle: { missing: 'NoSuchLifecycleConfiguration' },
  logging: emptyDocument('BucketLoggingStatus'),
  notification: emptyDocument('NotificationConfiguration'),
  'object-lock': { missing: 'ObjectLockConfigurationNotFoundError' },
  ownershipControls: { missing: 'OwnershipControlsNotFoundError' },
  policy: { missing: 'NoSuchBucketPolicy' },
  policyStatus: { missing: 'NoSuchBucketPolicy' },
  publicAccessBlock: { missing: 'NoSuchPublicAccessBlockConfiguration' },
  replication: { missing: 'ReplicationConfigurationNotFoundError' },
  requestPayment: emptyDocument('RequestPaymentConfiguration', text('Payer', 'BucketOwner')),
  tagging: { missing: 'NoSuchTagSet' },
  versioning: emptyDocument('VersioningConfiguration'),
  website: { missing: 'NoSuchWebsiteConfiguration' },
};

const ofObject: Readonly<Record<string, Answer>> = {
  acl,
  'legal-hold': { missing: 'InvalidRequest' },
  retention: { missing: 'InvalidRequest' },
  tagging: emptyDocument('Tagging', element('TagSet', '')),
};

/** S3 deletes these without asking whether there was one. */
const deletable: ReadonlySet<string> = new Set([
  ...['cors', 'encryption', 'lifecycle', 'ownershipControls', 'policy', 'publicAccessBlock', 'replication'],
  ...['tagging', 'website'],
]);

const withoutAnswer = [
  ...['analytics', 'attributes', 'intelligent-tiering', 'inventory', 'metadataTable', 'metrics', 'renameObject'],
  ...['restore', 'select', 'session', 'torrent'],
];

/** Parameters of a query that name a sub-resource. */
export const subResources: ReadonlySet<string> = new Set([
  ...Object.keys(ofBucket),
  ...Object.keys(ofObject),
  ...withoutAnswer,
]);

/** The operation on a sub-resource. */
export function subResource(method: string, name: string, level: 'BUCKET' | 'OBJECT'): Operation {
  const answer = (level === 'BUCKET' ? ofBucket : ofObject)[name];
  return async (call) => {
    const isRead = method === 'GET' && answer !== undefined;
    const isDeletion = method === 'DELETE' && answer !== undefined && deletable.has(name);
    if (!isRead && !isDeletion) throw notImplemented(`${method} of ?${name}`);
    await checkThere(call);
    if (isDeletion) return sendEmpty(call, 204);
    if (typeof answer === 'function') return sendXml(call, answer(call));
    if (answer !== undefined) throw new S3Error(answer.missing, `There is no ${name} configuration.`);
  };
}

async function checkThere({ ground, caller, target }: Call): Promise<void> {
  if (target.key === '') await ground.namespace.statContainer(caller, target.bucket);
  else await ground.namespace.stat(caller, target.bucket, target.key);
}
