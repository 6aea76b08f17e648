// Resolvers of certificates.
import type { Resolvers } from '../../../generated/graph/loadbalancer.ts';
import { encodeId } from '../../../platform/ids.ts';
import { payload } from '../../../platform/mutation.ts';
import type { CertificateReads } from './certificate-reads.ts';
import type { CertificateService } from './certificate-service.ts';

export function certificateResolvers({
  reads,
  service,
}: {
  readonly reads: CertificateReads;
  readonly service: CertificateService;
}): Resolvers {
  return {
    Query: {
      tlsCertificate: (_, { id }, context) => reads.byGlobalId(context, id),
      tlsCertificates: (_, args, context) => reads.page(context, args),
    },
    Mutation: {
      tlsCertificateCreate: (_, { input }, context) => payload('tlsCertificate', service.create(context, input)),
      tlsCertificateUpdate: (_, { input }, context) => payload('tlsCertificate', service.update(context, input)),
      tlsCertificateDelete: (_, { input }, context) => payload('tlsCertificate', service.delete(context, input)),
    },
    TlsCertificate: {
      __resolveReference: ({ id }, context) => reads.byGlobalId(context, id),
      id: ({ id }) => encodeId('TlsCertificate', id),
      project: ({ projectId }) => ({ id: encodeId('Project', projectId) }),
      sha256: ({ sha256 }) => (sha256.toUpperCase().match(/../g) ?? []).join(':'),
    },
  };
}
