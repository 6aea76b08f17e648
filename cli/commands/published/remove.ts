// `tidegate published remove HASH`.
import { randomUUID } from 'node:crypto';
import { graphql } from '../../../generated/cli/index.ts';
import { CommandFailure, UsageError } from '../../failures.ts';
import { remoteVerb } from '../../remote-verb.ts';

const findDocument = graphql(`
  query PublishedByHash($hash: String!) { publishedOperation(hash: $hash) { id hash name } }
`);
const removeDocument = graphql(`
  mutation PublishedRemove($input: PublishedOperationRemoveInput!) {
    publishedOperationRemove(input: $input) { removedId userErrors { code message field } }
  }
`);

export const remove = remoteVerb({
  summary: 'Remove a published operation: gateways no longer know its hash after a second or two.',
  takes: ['HASH'],
  options: {},
  async run({ client, options, names, printer }) {
    const hash = names[0].replace(/^sha256:/, '');
    if (!/^[0-9a-f]{64}$/.test(hash))
      throw new UsageError(
        `HASH must be 64 lower-case hexadecimal digits, as "published list" prints it, not '${hash}'`,
      );
    const { publishedOperation: found } = await client.query(findDocument, { hash });
    if (found === null) throw new CommandFailure(`no published operation has the hash ${hash}`);
    await client.mutate(removeDocument, { idempotencyKey: randomUUID(), id: found.id });
    if (options.json) await printer.json({ ...found, removed: true });
    else await printer.line(`${found.name} is removed`);
  },
});
