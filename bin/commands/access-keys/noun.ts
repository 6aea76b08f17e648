// `tidegate access-keys`: credentials for S3 at the clusters of object storage. Operators of the project only.
import { graphql } from '../../../generated/cli/index.ts';
import { CommandFailure } from '../../cli/failures.ts';
import { projectId } from '../../cli/find.ts';
import type { GraphClient } from '../../cli/graph-client.ts';
import { flag } from '../../cli/option.ts';
import { readAll, readPages } from '../../cli/pages.ts';
import { commonOptions, remoteVerb } from '../../cli/remote-verb.ts';
import type { Noun } from '../../cli/verb.ts';
import { replicated } from '../../cli/wait.ts';

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
      objectAccessKey { id accessKeyId name canWrite }
      secret
      commit { token }
      userErrors { code message field }
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

const list = remoteVerb({
  summary: 'List access keys, also revoked ones.',
  takes: [],
  options: { project },
  async run({ client, options, printer }) {
    const found = await readAll(pages(client, await projectId(client, options.project)));
    if (options.json) return printer.json(found);
    const rows = found.map(({ accessKeyId, name, canWrite, createdAt, revokedAt, project: of }) => [
      ...[accessKeyId, name, of.name, canWrite ? 'read and write' : 'read', createdAt],
      revokedAt === null ? 'works' : `revoked ${revokedAt}`,
    ]);
    return printer.table(['ACCESS KEY', 'NAME', 'PROJECT', 'RIGHTS', 'CREATED', 'STATE'], rows);
  },
});

const create = remoteVerb({
  summary: 'Create an access key, and print it with its secret.',
  takes: ['NAME'],
  options: { 'read-only': flag('It may not change anything.'), project, wait },
  async run({ client, signal, names, options, printer }) {
    // Without a key: a repetition would not show the secret again.
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

/** By its own id, or as clients name it. */
async function idOf(client: GraphClient, named: string): Promise<string> {
  for await (const { id, accessKeyId } of pages(client, undefined))
    if (id === named || accessKeyId === named) return id;
  throw new CommandFailure(`there is no access key '${named}'`);
}

export const accessKeys: Noun = { list, create, revoke };
