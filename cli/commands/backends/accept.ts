// `tidegate backends accept-host-key` and `accept-certificate`: a person accepts the fingerprint after comparing it with the device's own output.
import { randomUUID } from 'node:crypto';
import { graphql } from '../../../generated/cli/index.ts';
import { backendId, projectId } from '../../find.ts';
import { commonOptions, remoteVerb } from '../../remote-verb.ts';
import { changedBackend, credentialOptions, givenCredentials, printBackend, username } from './backend.ts';

const hostKeyDocument = graphql(`
  mutation BackendsAcceptHostKey($input: BackendHostKeyAcceptInput!) {
    backendHostKeyAccept(input: $input) { backend { ...BackendFields } commit { token } userErrors { code message field } }
  }
`);
const certificateDocument = graphql(`
  mutation BackendsAcceptCertificate($input: BackendCertificateAcceptInput!) {
    backendCertificateAccept(input: $input) { backend { ...BackendFields } commit { token } userErrors { code message field } }
  }
`);

/** The credentials are required if another proof was accepted before, because the owner of the new one will get them. */
const options = { username, ...credentialOptions, project: commonOptions.project, wait: commonOptions.wait };

/** `shown`: the backend's notation. `onDevice`: how to display it on the device. */
function stepsOf(shown: string, onDevice: string): readonly string[] {
  return [
    'Until then Tidegate sends no credentials there, and the backend is not ONLINE. The steps:',
    `1. "tidegate backends show NAME": the line "Not accepted" (${shown}) has the fingerprint that answered at the address of the backend.`,
    `2. Read the fingerprint on the device itself, in a way that does not go through that address. ${onDevice}`,
    '3. If both are the same, give the fingerprint of step 2 here. If they differ, something else answers there: accept nothing.',
    'To replace one that is accepted already, also give --username and the credentials: they will be sent to the owner of the new one.',
  ];
}

export const acceptHostKey = remoteVerb({
  summary: 'Accept the SSH host key of a backend, once you have compared its fingerprint with the one on the device.',
  about: stepsOf(
    'HOST_KEY SHA256:…',
    'On Linux: ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub. Other devices show it in their console.',
  ),
  examples: ['tidegate backends show fw-1', 'tidegate backends accept-host-key fw-1 SHA256:…'],
  takes: ['NAME', 'SHA256:…'],
  options,
  async run(call) {
    const credentials = await givenCredentials(call.options);
    const id = await backendId(call.client, call.names[0], await projectId(call.client, call.options.project));
    const input = { idempotencyKey: randomUUID(), id, hostKeySha256: call.names[1], credentials };
    await printBackend(call, await changedBackend(call, await call.client.mutate(hostKeyDocument, input)));
  },
});

export const acceptCertificate = remoteVerb({
  summary: 'Accept the certificate of a backend, once you have compared its fingerprint with the one on the device.',
  about: stepsOf(
    'CERTIFICATE …',
    'With its certificate as a file: openssl x509 -noout -fingerprint -sha256 -in FILE. Many devices show it where certificates are managed.',
  ),
  examples: ['tidegate backends show fw-1', 'tidegate backends accept-certificate fw-1 SHA256'],
  takes: ['NAME', 'SHA256'],
  options,
  async run(call) {
    const credentials = await givenCredentials(call.options);
    const id = await backendId(call.client, call.names[0], await projectId(call.client, call.options.project));
    const input = { idempotencyKey: randomUUID(), id, certificateSha256: call.names[1], credentials };
    await printBackend(call, await changedBackend(call, await call.client.mutate(certificateDocument, input)));
  },
});
