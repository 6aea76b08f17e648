// Buckets: containers of the caller's account.

import { readDocument } from '../body.ts';
import { type Call, header, sendEmpty, sendXml } from '../call.ts';
import { notImplemented, S3Error } from '../errors.ts';
import { refuseUnknownWishes } from '../object-headers.ts';
import { optionOf } from '../option.ts';
import { readXml } from '../read-xml.ts';
import { element, text, xmlDocument } from '../xml.ts';
import { integerOf, wrongArgument } from './arguments.ts';

const mostConfigurationBytes = 64 * 1024;
const mostBuckets = 10_000;

export async function listBuckets(call: Call): Promise<void> {
  const { ground, caller, target } = call;
  const limit = integerOf(call, 'max-buckets', mostBuckets);
  if (limit < 1 || limit > mostBuckets)
    throw wrongArgument('max-buckets', String(limit), `is from 1 to ${mostBuckets}`);
  const prefix = target.query.get('prefix') ?? '';
  const after = target.query.get('continuation-token') ?? '';
  // Names are ASCII: they have one order.
  const found = (await ground.namespace.containers(caller))
    .filter(({ name }) => name.startsWith(prefix) && name > after)
    .sort((one, other) => (one.name < other.name ? -1 : 1));
  const page = found.slice(0, limit);
  const buckets = page.map(({ name, createdAt }) =>
    element('Bucket', text('Name', name) + text('CreationDate', createdAt.toISOString())),
  );
  const next = found.length > page.length ? text('ContinuationToken', page.at(-1)?.name ?? '') : '';
  const shownPrefix = prefix === '' ? '' : text('Prefix', prefix);
  await sendXml(
    call,
    xmlDocument('ListAllMyBucketsResult', owner(call) + element('Buckets', buckets.join('')) + next + shownPrefix),
  );
}

export function owner({ caller }: Call, name = 'Owner'): string {
  return element(name, text('ID', caller.accountId) + text('DisplayName', caller.accountId));
}

export async function createBucket(call: Call): Promise<void> {
  const { ground, caller, target } = call;
  refuseUnknownWishes(call);
  if (header(call, 'x-amz-bucket-object-lock-enabled')?.toLowerCase() === 'true') throw notImplemented('Object lock');
  const location = await readDocument(call, mostConfigurationBytes, (body) =>
    body.length === 0 ? undefined : readXml(body, 'CreateBucketConfiguration').LocationConstraint,
  );
  const option = optionOf(call).option ?? location;
  const isChosen = option !== undefined && option !== '' && option !== ground.region;
  await ground.namespace.createContainer(caller, target.bucket, isChosen ? { option } : undefined);
  await sendEmpty(call, 200, { location: `/${target.bucket}` });
}

export async function headBucket(call: Call): Promise<void> {
  const { ground, caller, target } = call;
  await ground.namespace.statContainer(caller, target.bucket);
  await sendEmpty(call, 200, { 'x-amz-bucket-region': ground.region });
}

export async function deleteBucket({ ground, caller, target, ...rest }: Call): Promise<void> {
  await ground.namespace.deleteContainer(caller, target.bucket);
  await sendEmpty({ ground, caller, target, ...rest }, 204);
}

export async function getLocation(call: Call): Promise<void> {
  const { ground, caller, target } = call;
  await ground.namespace.statContainer(caller, target.bucket);
  // S3 says nothing for its first region.
  await sendXml(call, xmlDocument('LocationConstraint', ground.region === 'us-east-1' ? '' : ground.region));
}

/** x-amz-expected-bucket-owner: another account's bucket of the same name is not meant. */
export function checkExpectedOwner(call: Call): void {
  for (const name of ['x-amz-expected-bucket-owner', 'x-amz-source-expected-bucket-owner']) {
    const expected = header(call, name);
    if (expected !== undefined && expected !== call.caller.accountId)
      throw new S3Error('AccessDenied', `The bucket does not belong to the account that ${name} says.`);
  }
}
