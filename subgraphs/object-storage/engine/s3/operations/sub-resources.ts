// Sub-resources of buckets and objects, such as ACLs and policies: answers as S3 gives them for a bucket that has none.
import { type Call, type Operation, sendEmpty, sendXml } from '../call.ts';
import { notImplemented, type S3Code, S3Error } from '../errors.ts';
import { element, text, xmlBody } from '../xml.ts';
import { owner } from './buckets.ts';

type Answer = { readonly missing: S3Code } | ((call: Call) => string);

function emptyDocument(root: string, content = ''): Answer {
  return () => xmlBody(root, content);
}

/** The owner may do everything, others nothing. */
function acl(call: Call): string {
  const grantee = owner(call, 'Grantee').replace(
    '<Grantee>',
    '<Grantee xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:type="CanonicalUser">',
  );
  const grant = element('Grant', grantee + text('Permission', 'FULL_CONTROL'));
  return xmlBody('AccessControlPolicy', owner(call) + element('AccessControlList', grant));
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

/** S3 deletes these without checking whether they exist. */
const deletable: ReadonlySet<string> = new Set([
  ...['cors', 'encryption', 'lifecycle', 'ownershipControls', 'policy', 'publicAccessBlock', 'replication'],
  ...['tagging', 'website'],
]);

/** Whether a query parameter names a supported sub-resource. S3's other ones are unknown here. */
export function isSubResource(name: string, level: 'BUCKET' | 'OBJECT'): boolean {
  return Object.hasOwn(level === 'BUCKET' ? ofBucket : ofObject, name);
}

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

async function checkThere({ context, caller, s3Address }: Call): Promise<void> {
  if (s3Address.key === '') await context.namespace.statContainer(caller, s3Address.bucket);
  else await context.namespace.stat(caller, s3Address.bucket, s3Address.key);
}
