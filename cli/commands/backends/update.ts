// `tidegate backends update NAME`: changes the given options.
import { randomUUID } from 'node:crypto';
import { graphql } from '../../../generated/cli/index.ts';
import { isProtected, protectionOption } from '../../confirmed.ts';
import { UsageError } from '../../failures.ts';
import { backendId, projectId } from '../../find.ts';
import { flag, integer, text } from '../../option.ts';
import { commonOptions, remoteVerb } from '../../remote-verb.ts';
import { changedBackend, credentialOptions, givenCredentials, labelOption, printBackend, username } from './backend.ts';

const document = graphql(`
  mutation BackendsUpdate($input: BackendUpdateInput!) {
    backendUpdate(input: $input) { backend { ...BackendFields } commit { token } userErrors { code message field } }
  }
`);

/** True or false by one of two switches. Undefined if neither is given. */
function either(on: boolean, off: boolean, names: string): boolean | undefined {
  if (on && off) throw new UsageError(`give only one of ${names}`);
  return on || off ? on : undefined;
}

export const update = remoteVerb({
  summary:
    'Change a backend; options left out change nothing. Another address or proof of identity needs its credentials.',
  takes: ['NAME'],
  options: {
    enable: flag('Allow calls to it.'),
    disable: flag('Refuse calls to it, and stop its health checks.'),
    host: text('HOST', 'Host name or address.'),
    port: integer('PORT', 'Port.', { least: 1, most: 65_535 }),
    site: text('SITE', 'Site of the backend.'),
    label: { ...labelOption, help: 'Label of the backend; replaces all its labels. May be repeated.' },
    'host-key': text('SHA256:…', 'Fingerprint of the host key to accept, as ssh-keygen -lf prints it.'),
    certificate: text('SHA256:…', 'Fingerprint of the certificate to accept.'),
    username,
    ...credentialOptions,
    'drop-credentials': flag('Delete its stored credentials.'),
    'allow-init': flag('Allow INIT operations.'),
    'forbid-init': flag('Refuse INIT operations.'),
    'separate-objects': flag(
      'It has no object in common with another backend of the same device; administrators only.',
    ),
    'deletion-protected': protectionOption,
    project: commonOptions.project,
    wait: commonOptions.wait,
  },
  async run(call) {
    const { client, options, names } = call;
    const credentials = await givenCredentials(options);
    const changes = {
      enabled: either(options.enable, options.disable, '--enable and --disable'),
      host: options.host,
      port: options.port,
      site: options.site,
      labels: options.label.length === 0 ? undefined : options.label,
      allowInit: either(options['allow-init'], options['forbid-init'], '--allow-init and --forbid-init'),
      separateObjects: options['separate-objects'] ? true : undefined,
      hostKeySha256: options['host-key'],
      certificateSha256: options.certificate,
      deletionProtected: isProtected(options['deletion-protected']),
      credentials,
      dropCredentials: options['drop-credentials'] ? true : undefined,
    };
    if (Object.values(changes).every((each) => each === undefined)) throw new UsageError('nothing to change was given');
    const id = await backendId(client, names[0], await projectId(client, options.project));
    const payload = await client.mutate(document, { idempotencyKey: randomUUID(), id, ...changes });
    await printBackend(call, await changedBackend(call, payload));
  },
});
