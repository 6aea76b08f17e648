// Buckets: containers of the caller's account.

import { readXmlBody } from '../body.ts';
import { type Call, header, sendEmpty, sendXml } from '../call.ts';
import { S3Error } from '../errors.ts';
import { optionOf } from '../option.ts';
import { readXml } from '../read-xml.ts';
import { element, text, xmlBody } from '../xml.ts';
import { integerOf, wrongArgument } from './arguments.ts';

const mostConfigurationBytes = 64 * 1024;
const mostBuckets = 10_000;

export async function listBuckets(call: Call): Promise<void> {
  const { context, caller, s3Address } = call;
  const limit = integerOf(call, 'max-buckets', mostBuckets);
  if (limit < 1 || limit > mostBuckets)
    throw wrongArgument('max-buckets', String(limit), `is from 1 to ${mostBuckets}`);
  const prefix = s3Address.query.get('prefix') ?? '';
  const after = s3Address.query.get('continuation-token') ?? '';
  const found = await context.namespace.containers(caller, { prefix, after, limit: limit + 1 });
  const page = found.slice(0, limit);
  const buckets = page.map(({ name, createdAt }) =>
    element('Bucket', text('Name', name) + text('CreationDate', createdAt.toISOString())),
  );
  const next = found.length > page.length ? text('ContinuationToken', page.at(-1)?.name ?? '') : '';
  const shownPrefix = prefix === '' ? '' : text('Prefix', prefix);
  await sendXml(
    call,
    xmlBody('ListAllMyBucketsResult', owner(call) + element('Buckets', buckets.join('')) + next + shownPrefix),
  );
}

export function owner({ caller }: Call, name = 'Owner'): string {
  return element(name, text('ID', caller.accountId) + text('DisplayName', caller.accountId));
}

export async function createBucket(call: Call): Promise<void> {
  const { context, caller, s3Address } = call;
  const location = await readXmlBody(call, mostConfigurationBytes, (body) =>
    body.length === 0 ? undefined : readXml(body, 'CreateBucketConfiguration').LocationConstraint,
  );
  const option = optionOf(call).option ?? location;
  const isChosen = option !== undefined && option !== '' && option !== context.region;
  await context.namespace.createContainer(caller, s3Address.bucket, isChosen ? { option } : undefined);
  await sendEmpty(call, 200, { location: `/${s3Address.bucket}` });
}

export async function headBucket(call: Call): Promise<void> {
  const { context, caller, s3Address } = call;
  await context.namespace.statContainer(caller, s3Address.bucket);
  await sendEmpty(call, 200, { 'x-amz-bucket-region': context.region });
}

export async function deleteBucket({ context, caller, s3Address, ...rest }: Call): Promise<void> {
  await context.namespace.deleteContainer(caller, s3Address.bucket);
  await sendEmpty({ context, caller, s3Address, ...rest }, 204);
}

export async function getLocation(call: Call): Promise<void> {
  const { context, caller, s3Address } = call;
  await context.namespace.statContainer(caller, s3Address.bucket);
  // S3 returns an empty element for its first region.
  await sendXml(call, xmlBody('LocationConstraint', context.region === 'us-east-1' ? '' : context.region));
}

/** x-amz-expected-bucket-owner protects a client from another account's bucket with the same name. */
export function checkExpectedOwner(call: Call): void {
  for (const name of ['x-amz-expected-bucket-owner', 'x-amz-source-expected-bucket-owner']) {
    const expected = header(call, name);
    if (expected !== undefined && expected !== call.caller.accountId)
      throw new S3Error('AccessDenied', `The bucket does not belong to the account in ${name}.`);
  }
}
