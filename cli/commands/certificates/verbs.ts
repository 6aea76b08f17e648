// The verbs of `tidegate certificates`.
import { randomUUID } from 'node:crypto';
import type { TlsCertificateFieldsFragment } from '../../../generated/cli/graphql.ts';
import { graphql } from '../../../generated/cli/index.ts';
import { balancerId, settled } from '../../balancer.ts';
import { CommandFailure, UsageError } from '../../failures.ts';
import { idNamed, projectId } from '../../find.ts';
import type { GraphClient } from '../../graph-client.ts';
import { giving, neededText, text } from '../../option.ts';
import { readPages } from '../../pages.ts';
import { commonOptions, type RemoteCall, readSecretFile, remoteVerb } from '../../remote-verb.ts';
import { deleteVerb, listVerb } from '../../row-verbs.ts';
import { previewed, previewOption } from '../loadbalancers/preview.ts';

graphql(`
  fragment TlsCertificateFields on TlsCertificate { id name hostNames issuer validUntil sha256 }
`);

const listDocument = graphql(`
  query CertificatesList($projectId: ID, $first: Int, $after: String) {
    tlsCertificates(projectId: $projectId, first: $first, after: $after) {
      nodes { ...TlsCertificateFields }
      pageInfo { hasNextPage endCursor }
    }
  }
`);
const createDocument = graphql(`
  mutation CertificatesCreate($input: TlsCertificateCreateInput!) {
    tlsCertificateCreate(input: $input) {
      tlsCertificate { ...TlsCertificateFields } commit { token } userErrors { code message field }
    }
  }
`);
const updateDocument = graphql(`
  mutation CertificatesUpdate($input: TlsCertificateUpdateInput!) {
    tlsCertificateUpdate(input: $input) {
      tlsCertificate { ...TlsCertificateFields } commit { token } userErrors { code message field }
    }
  }
`);
const deleteDocument = graphql(`
  mutation CertificatesDelete($input: TlsCertificateDeleteInput!) {
    tlsCertificateDelete(input: $input) { commit { token } userErrors { code message field } }
  }
`);

type Certificate = TlsCertificateFieldsFragment;

const files = {
  'chain-file': neededText('FILE', 'File with the certificate and its chain (PEM), leaf first.'),
  'key-file': giving(['privateKey'], neededText('FILE', 'File with the private key (PEM), without a passphrase.')),
} as const;

type Files = { readonly [File in keyof typeof files]: string };

async function contentOf(options: Files): Promise<{ readonly chain: string; readonly privateKey: string }> {
  return {
    chain: `${await readSecretFile(options['chain-file'])}\n`,
    privateKey: `${await readSecretFile(options['key-file'])}\n`,
  };
}

async function certificateId(client: GraphClient, nameOrId: string, project: string | undefined): Promise<string> {
  return idNamed(client, 'certificates', nameOrId, await projectId(client, project));
}

async function print(
  { printer, options }: Pick<RemoteCall, 'printer'> & { readonly options: { readonly json: boolean } },
  certificate: Certificate | null,
): Promise<void> {
  if (certificate === null) throw new CommandFailure('the server gave no certificate');
  if (options.json) return printer.json(certificate);
  return printer.pairs([
    ['Name', certificate.name],
    ['Id', certificate.id],
    ['Host names', certificate.hostNames.join(', ')],
    ['Issuer', certificate.issuer],
    ['Expires', certificate.validUntil],
    ['SHA-256', certificate.sha256],
  ]);
}

const { project, wait } = commonOptions;

export const list = listVerb({
  summary: 'List certificates.',
  options: { project },
  read: async ({ client, options }) => {
    const inProject = await projectId(client, options.project);
    return readPages(client, listDocument, { projectId: inProject }, ({ tlsCertificates }) => tlsCertificates);
  },
  columns: {
    NAME: 'name',
    'HOST NAMES': ({ hostNames }) => hostNames.join(', '),
    EXPIRES: 'validUntil',
    ISSUER: 'issuer',
    ID: 'id',
  },
});

export const create = remoteVerb({
  summary: 'Store a certificate with its private key.',
  takes: ['NAME'],
  options: { ...files, project, wait },
  async run(call) {
    const { client, names, options } = call;
    const [name] = names;
    const inProject = await projectId(client, options.project);
    const input = { idempotencyKey: randomUUID(), projectId: inProject, name, ...(await contentOf(options)) };
    const { tlsCertificate, commit } = await client.mutate(createDocument, input);
    await settled(call, commit);
    await print(call, tlsCertificate);
  },
});

export const update = remoteVerb({
  summary: 'Renew a certificate, on all nodes that use it. --preview needs one --loadbalancer.',
  takes: ['NAME'],
  options: {
    ...files,
    preview: previewOption,
    loadbalancer: text('NAME', 'Load balancer, by name or id.'),
    project,
    wait,
  },
  async run(call) {
    const { client, names, options } = call;
    const id = await certificateId(client, names[0], options.project);
    const input = { id, ...(await contentOf(options)) };
    const { preview, loadbalancer } = options;
    if (preview !== (loadbalancer !== undefined)) throw new UsageError('give --preview and --loadbalancer together');
    const previewedOf = loadbalancer === undefined ? '' : await balancerId(client, loadbalancer, options.project);
    if (await previewed(call, previewedOf, { tlsCertificateUpdate: input })) return;
    const { tlsCertificate, commit } = await client.mutate(updateDocument, { idempotencyKey: randomUUID(), ...input });
    await settled(call, commit);
    await print(call, tlsCertificate);
  },
});

export const remove = deleteVerb({
  summary: 'Delete a certificate that nothing uses.',
  options: { project, wait },
  document: deleteDocument,
  find: async ({ client, names, options }) => ({ id: await certificateId(client, names[0], options.project) }),
});
