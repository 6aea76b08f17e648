// Resolvers of certificates.
import type { Resolvers } from '../../../../generated/graph/loadbalancer.ts';
import type { RequestContext } from '../../../../platform/caller/identity.ts';
import { deletePayload, payload } from '../../../../platform/edge/mutation.ts';
import { encodeId } from '../../../../platform/values/ids.ts';
import type { PartRow } from '../stores/part-store.ts';
import type { CertificateReads } from './certificate-reads.ts';
import type { CertificateService } from './certificate-service.ts';

interface CertificateUsers {
  /** Live parts that refer to the certificate, oldest first. */
  users(context: RequestContext, kind: 'Listener' | 'Pool', certificateId: string): Promise<readonly PartRow[]>;
}

export function certificateResolvers({
  reads,
  service,
  parts,
}: {
  readonly reads: CertificateReads;
  readonly service: CertificateService;
  readonly parts: CertificateUsers;
}): Resolvers {
  return {
    Query: {
      tlsCertificate: (_, { id }, context) => reads.byGlobalId(context, id),
      tlsCertificates: (_, args, context) => reads.page(context, args),
    },
    Mutation: {
      tlsCertificateCreate: (_, { input }, context) => payload('tlsCertificate', service.create(context, input)),
      tlsCertificateUpdate: (_, { input }, context) => payload('tlsCertificate', service.update(context, input)),
      tlsCertificateDelete: (_, { input }, context) =>
        deletePayload('tlsCertificate', input.id, service.delete(context, input)),
    },
    TlsCertificate: {
      __resolveReference: ({ id }, context) => reads.byGlobalId(context, id),
      id: ({ id }) => encodeId('TlsCertificate', id),
      project: ({ projectId }) => ({ id: encodeId('Project', projectId) }),
      validFrom: ({ notBefore }) => notBefore,
      validUntil: ({ notAfter }) => notAfter,
      listeners: async ({ id }, _, context) => [...(await parts.users(context, 'Listener', id))],
      pools: async ({ id }, _, context) => [...(await parts.users(context, 'Pool', id))],
      sha256: ({ sha256 }) => (sha256.toUpperCase().match(/../g) ?? []).join(':'),
    },
  };
}
