// `tidegate published add FILE...`.
import { randomUUID } from 'node:crypto';
import type { PublishedAddMutation } from '../../../generated/cli/graphql.ts';
import { graphql } from '../../../generated/cli/index.ts';
import { remoteVerb } from '../../remote-verb.ts';
import { type FileOperation, readOperations } from './operation-files.ts';

const document = graphql(`
  mutation PublishedAdd($input: PublishedOperationAddInput!) {
    publishedOperationAdd(input: $input) {
      publishedOperations { id hash name operationType createdAt } userErrors { code message field }
    }
  }
`);

type Published = NonNullable<NonNullable<PublishedAddMutation['publishedOperationAdd']>['publishedOperations']>[number];

/** Limit of one request, whose body has at most 256 KiB (`graphql.maxBodyBytes`). */
const mostOfRequest = 100;
const mostJson = 160 * 1024;

export const add = remoteVerb({
  summary: 'Publish the operations of .graphql files and JSON manifests; published ones stay.',
  takes: ['FILE...'],
  options: {},
  async run({ client, options, names, printer }) {
    const operations = new Map<string, FileOperation>();
    // All files are read before the first request.
    for (const path of names[0]) for (const each of await readOperations(path)) operations.set(each.hash, each);
    const added: Published[] = [];
    for (const batch of batchesOf([...operations.values()])) {
      const input = { idempotencyKey: randomUUID(), operations: batch };
      added.push(...((await client.mutate(document, input)).publishedOperations ?? []));
    }
    if (options.json) return printer.json(added);
    return printer.rows({ NAME: 'name', TYPE: 'operationType', HASH: 'hash' }, added);
  },
});

function batchesOf(operations: readonly FileOperation[]): readonly (readonly FileOperation[])[] {
  const batches: FileOperation[][] = [];
  let size = mostJson;
  for (const operation of operations) {
    const own = Buffer.byteLength(JSON.stringify(operation));
    const last = batches.at(-1);
    if (last === undefined || last.length === mostOfRequest || size + own > mostJson) {
      batches.push([operation]);
      size = own;
    } else {
      last.push(operation);
      size += own;
    }
  }
  return batches;
}
