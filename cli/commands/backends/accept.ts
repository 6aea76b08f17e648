// `tidegate backends accept-host-key` and `accept-certificate`: a person accepts the fingerprint after comparing it with the
// one that the device itself prints.
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

/** The credentials are required when another proof is already accepted, because they will be sent to the owner of the new one. */
const options = { username, ...credentialOptions, project: commonOptions.project, wait: commonOptions.wait };

export const acceptHostKey = remoteVerb({
  summary:
    'Accept a host key by its fingerprint, as ssh-keygen -lf prints it; "backends show" tells which one was presented. To replace one, give the credentials.',
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
  summary:
    'Accept a certificate by its fingerprint (openssl x509 -fingerprint -sha256); "backends show" tells which one was presented. To replace one, give the credentials.',
  takes: ['NAME', 'SHA256'],
  options,
  async run(call) {
    const credentials = await givenCredentials(call.options);
    const id = await backendId(call.client, call.names[0], await projectId(call.client, call.options.project));
    const input = { idempotencyKey: randomUUID(), id, certificateSha256: call.names[1], credentials };
    await printBackend(call, await changedBackend(call, await call.client.mutate(certificateDocument, input)));
  },
});
