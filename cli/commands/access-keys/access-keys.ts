// `tidegate access-keys`: credentials for S3 at the clusters of object storage. Operators of the project only.
import { graphql } from '../../../generated/cli/index.ts';
import { CommandFailure } from '../../failures.ts';
import { projectId } from '../../find.ts';
import type { GraphClient } from '../../graph-client.ts';
import { kindVerb } from '../../kinds/kind-noun.ts';
import { flag } from '../../option.ts';
import { readPages } from '../../pages.ts';
import { commonOptions, remoteVerb } from '../../remote-verb.ts';
import { listVerb } from '../../row-verbs.ts';
import type { Noun } from '../../verb.ts';
import { replicated } from '../../wait.ts';

const listDocument = graphql(`
  query AccessKeysList($projectId: ID, $first: Int, $after: String) {
    objectAccessKeys(projectId: $projectId, first: $first, after: $after) {
      nodes { id accessKeyId name canWrite createdAt revokedAt project { name } }
      pageInfo { hasNextPage endCursor }
    }
  }
`);
const createDocument = graphql(`
  mutation AccessKeysCreate($input: ObjectAccessKeyCreateInput!) {
    objectAccessKeyCreate(input: $input) {
      objectAccessKey { id accessKeyId name canWrite } secret commit { token } userErrors { code message field }
    }
  }
`);
const revokeDocument = graphql(`
  mutation AccessKeysRevoke($input: ObjectAccessKeyRevokeInput!) {
    objectAccessKeyRevoke(input: $input) { commit { token } userErrors { code message field } }
  }
`);

const { project, wait } = commonOptions;

const pages = (client: GraphClient, inProject: string | undefined) =>
  readPages(client, listDocument, { projectId: inProject }, ({ objectAccessKeys }) => objectAccessKeys);

const list = listVerb({
  summary: 'List access keys, also revoked ones.',
  options: { project },
  read: async ({ client, options }) => pages(client, await projectId(client, options.project)),
  columns: {
    'ACCESS KEY': 'accessKeyId',
    NAME: 'name',
    PROJECT: ({ project: of }) => of.name,
    RIGHTS: ({ canWrite }) => (canWrite ? 'read and write' : 'read'),
    CREATED: 'createdAt',
    STATE: ({ revokedAt }) => (revokedAt === null ? 'works' : `revoked ${revokedAt}`),
  },
});

const create = remoteVerb({
  summary: 'Create an access key, and print it with its secret.',
  takes: ['NAME'],
  options: { 'read-only': flag('It may not change anything.'), project, wait },
  async run({ client, signal, names, options, printer }) {
    // Without a key, because a repetition would not show the secret again.
    const { objectAccessKey, secret, commit } = await client.mutate(createDocument, {
      ...{ projectId: await projectId(client, options.project), name: names[0], canWrite: !options['read-only'] },
    });
    await replicated({ client, signal, options }, commit);
    if (objectAccessKey === null) throw new CommandFailure('the server gave no access key');
    if (options.json) return printer.json({ ...objectAccessKey, secret });
    await printer.line(`AWS_ACCESS_KEY_ID=${objectAccessKey.accessKeyId}`);
    return printer.line(`AWS_SECRET_ACCESS_KEY=${secret ?? ''}`);
  },
});

const revoke = remoteVerb({
  summary: 'Revoke an access key.',
  takes: ['ID'],
  options: { wait },
  async run({ client, signal, names, options, printer }) {
    const id = await idOf(client, names[0]);
    const { commit } = await client.mutate(revokeDocument, { id });
    await replicated({ client, signal, options }, commit);
    if (options.json) await printer.json({ id, revoked: true });
    else await printer.line(`${names[0]} is revoked`);
  },
});

/** Finds a key by its id, or by the access key id that clients use. */
async function idOf(client: GraphClient, named: string): Promise<string> {
  for await (const { id, accessKeyId } of pages(client, undefined))
    if (id === named || accessKeyId === named) return id;
  throw new CommandFailure(`there is no access key '${named}'`);
}

export const accessKeys: Noun = { list, show: kindVerb('ObjectAccessKey', 'show'), create, revoke };
