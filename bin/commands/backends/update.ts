// `tidegate backends update NAME`: changes what is given, and leaves the rest.
import { randomUUID } from 'node:crypto';
import { graphql } from '../../../generated/cli/index.ts';
import { UsageError } from '../../cli/failures.ts';
import { backendId, projectId } from '../../cli/find.ts';
import { chosenFrom, integer, one, text } from '../../cli/option.ts';
import { commonOptions, remoteVerb } from '../../cli/remote-verb.ts';
import { changedBackend, credentialOptions, labelOption, printBackend, readCredentials, username } from './backend.ts';

const document = graphql(`
  mutation BackendsUpdate($input: BackendUpdateInput!) {
    backendUpdate(input: $input) { backend { ...BackendFields } commit { token } userErrors { code message field } }
  }
`);

const yesOrNo = (help: string) =>
  one('YES/NO', help, (given, name) => chosenFrom(['YES', 'NO'])(given, name) === 'YES');

export const update = remoteVerb({
  summary: 'Change a backend: what is left out stays as it is.',
  takes: ['NAME'],
  options: {
    enabled: yesOrNo('No: it refuses calls, and is not checked.'),
    host: text('HOST', 'Host name or address.'),
    port: integer('PORT', 'Port.', { least: 1, most: 65_535 }),
    site: text('SITE', 'Where it stands.'),
    label: labelOption,
    username,
    ...credentialOptions,
    'allow-init': yesOrNo('Whether INIT operations are allowed.'),
    project: commonOptions.project,
    wait: commonOptions.wait,
  },
  async run(call) {
    const { client, options, names } = call;
    const credentials = await readCredentials(options.username ?? '', options);
    if ((options.username === undefined) !== (credentials === undefined))
      throw new UsageError('--username goes with --private-key-file or --backend-password-file');
    const changes = {
      enabled: options.enabled,
      host: options.host,
      port: options.port,
      site: options.site,
      labels: options.label.length === 0 ? undefined : options.label,
      allowInit: options['allow-init'],
      credentials,
    };
    if (Object.values(changes).every((each) => each === undefined)) throw new UsageError('nothing to change was given');
    const id = await backendId(client, names[0], await projectId(client, options.project));
    const payload = await client.mutate(document, { idempotencyKey: randomUUID(), id, ...changes });
    await printBackend(call, await changedBackend(call, payload));
  },
});
