// The verbs of `tidegate certificates`.
import { randomUUID } from 'node:crypto';
import type { TlsCertificateFieldsFragment } from '../../../generated/cli/graphql.ts';
import { graphql } from '../../../generated/cli/index.ts';
import { CommandFailure, UsageError } from '../../cli/failures.ts';
import { findNamed, projectId } from '../../cli/find.ts';
import type { GraphClient } from '../../cli/graph-client.ts';
import { neededText, text } from '../../cli/option.ts';
import { readAll, readPages } from '../../cli/pages.ts';
import { commonOptions, type RemoteCall, readSecretFile, remoteVerb } from '../../cli/remote-verb.ts';
import { balancerId, settled } from '../loadbalancers/balancer.ts';
import { previewed, previewOption } from '../loadbalancers/preview.ts';

graphql(`
  fragment TlsCertificateFields on TlsCertificate { id name hostNames issuer notAfter sha256 }
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
      tlsCertificate { ...TlsCertificateFields }
      commit { token }
      userErrors { code message field }
    }
  }
`);
const updateDocument = graphql(`
  mutation CertificatesUpdate($input: TlsCertificateUpdateInput!) {
    tlsCertificateUpdate(input: $input) {
      tlsCertificate { ...TlsCertificateFields }
      commit { token }
      userErrors { code message field }
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
  'key-file': neededText('FILE', 'File with the private key (PEM), without a passphrase.'),
} as const;

type Files = { readonly [File in keyof typeof files]: string };

async function contentOf(options: Files): Promise<{ readonly chain: string; readonly privateKey: string }> {
  return {
    chain: `${await readSecretFile(options['chain-file'])}\n`,
    privateKey: `${await readSecretFile(options['key-file'])}\n`,
  };
}

const pages = (client: GraphClient, inProject: string | undefined) =>
  readPages(client, listDocument, { projectId: inProject }, ({ tlsCertificates }) => tlsCertificates);

async function certificateId(client: GraphClient, nameOrId: string, project: string | undefined): Promise<string> {
  return findNamed(pages(client, await projectId(client, project)), 'certificate', nameOrId);
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
    ['Expires', certificate.notAfter],
    ['SHA-256', certificate.sha256],
  ]);
}

const { project, wait } = commonOptions;

export const list = remoteVerb({
  summary: 'List certificates.',
  takes: [],
  options: { project },
  async run({ client, options, printer }) {
    const found = await readAll(pages(client, await projectId(client, options.project)));
    if (options.json) return printer.json(found);
    const rows = found.map((each) => [each.name, each.hostNames.join(', '), each.notAfter, each.issuer, each.id]);
    return printer.table(['NAME', 'HOST NAMES', 'EXPIRES', 'ISSUER', 'ID'], rows);
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
  summary: 'Renew a certificate, on all nodes that use it. --preview takes one --loadbalancer of them.',
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

export const remove = remoteVerb({
  summary: 'Delete a certificate that nothing uses.',
  takes: ['NAME'],
  options: { project, wait },
  async run(call) {
    const { client, names, options, printer } = call;
    const id = await certificateId(client, names[0], options.project);
    const { commit } = await client.mutate(deleteDocument, { idempotencyKey: randomUUID(), id });
    await settled(call, commit);
    if (options.json) await printer.json({ id, deleted: true });
    else await printer.line(`${names[0]} is deleted`);
  },
});
