// `tidegate backends create NAME`: registers a backend.
import { randomUUID } from 'node:crypto';
import { graphql } from '../../../generated/cli/index.ts';
import { isProtected, protectionOption } from '../../confirmed.ts';
import { UsageError } from '../../failures.ts';
import { projectId } from '../../find.ts';
import { flag, integer, neededText, text } from '../../option.ts';
import { commonOptions, remoteVerb } from '../../remote-verb.ts';
import {
  changedBackend,
  credentialOptions,
  labelOption,
  neededUsername,
  printBackend,
  readCredentials,
} from './backend.ts';

const document = graphql(`
  mutation BackendsCreate($input: BackendCreateInput!) {
    backendCreate(input: $input) { backend { ...BackendFields } commit { token } userErrors { code message field } }
  }
`);

/** Options that authenticate the account. */
const proof = 'one of --private-key-file, --backend-password-file and --api-token-file';

export const create = remoteVerb({
  summary: 'Register a backend: a firewall, a switch, a cloud, or another device or service.',
  examples: [
    'tidegate backends create fw-1 --driver linux-nftables --host 192.0.2.1 --username netops --private-key-file id_fw --wait 30',
  ],
  takes: ['NAME'],
  options: {
    driver: neededText('DRIVER', 'Driver, for example linux-nftables: one of "tidegate drivers list".'),
    host: neededText('HOST', 'Host name or address.'),
    port: integer('PORT', "Port (the driver's default).", { least: 1, most: 65_535 }),
    site: text('SITE', 'Site of the backend.'),
    label: labelOption,
    username: neededUsername,
    ...credentialOptions,
    'host-key': text('SHA256:…', 'Fingerprint of the host key to accept, as ssh-keygen -lf prints it.'),
    certificate: text('SHA256:…', 'Fingerprint of the certificate to accept.'),
    'allow-init': flag('Allow INIT operations.'),
    'separate-objects': flag(
      'It has no object in common with another backend of the same device; administrators only.',
    ),
    'deletion-protected': protectionOption,
    project: commonOptions.project,
    wait: commonOptions.wait,
  },
  alsoNeeds: (given) => (Object.keys(credentialOptions).some((name) => given.has(name)) ? [] : [proof]),
  async run(call) {
    const { client, options, names } = call;
    const credentials = await readCredentials(options.username, options);
    if (credentials === undefined) throw new UsageError(`give ${proof}`);
    const payload = await client.mutate(document, {
      idempotencyKey: randomUUID(),
      projectId: await projectId(client, options.project),
      name: names[0],
      driver: options.driver,
      host: options.host,
      port: options.port,
      site: options.site,
      labels: options.label,
      allowInit: options['allow-init'],
      separateObjects: options['separate-objects'],
      hostKeySha256: options['host-key'],
      certificateSha256: options.certificate,
      deletionProtected: isProtected(options['deletion-protected']),
      credentials,
    });
    await printBackend(call, await changedBackend(call, payload));
  },
});
