// Resolvers of DNS backends.
import type { BackendRow } from '../../../dns/backends/backend.ts';
import { capabilities } from '../../../dns/records/backend-types.ts';
import type { Resolvers } from '../../../generated/graph/gslb.ts';
import type { PageArguments } from '../../../platform/graph/connection.ts';
import type { RequestContext } from '../../../platform/identity.ts';
import { encodeId } from '../../../platform/ids.ts';
import { payload } from '../../../platform/mutation.ts';
import { dnsBackend } from '../parts/dns-backend.ts';
import { backendSettings, type DnsBackendService } from './dns-backend-service.ts';
import type { ObjectReads } from './object-reads.ts';

type Context = RequestContext;

export function dnsBackendResolvers(service: DnsBackendService, reads: ObjectReads): Resolvers {
  const settings = Object.keys(dnsBackend.fields).map((name) => [
    name,
    (row: BackendRow) => backendSettings(row)[name] ?? null,
  ]);
  const resolvers = {
    Query: {
      dnsBackend: (_: unknown, { id }: { id: string }, context: Context) => service.byGlobalId(context, id),
      dnsBackends: (_: unknown, args: PageArguments, context: Context) => service.page(context, args),
    },
    Mutation: {
      dnsBackendCreate: (_: unknown, { input }: { input: never }, context: Context) =>
        payload('dnsBackend', service.create(context, input)),
      dnsBackendUpdate: (_: unknown, { input }: { input: never }, context: Context) =>
        payload('dnsBackend', service.update(context, input)),
      dnsBackendDelete: (_: unknown, { input }: { input: never }, context: Context) =>
        payload('dnsBackend', service.delete(context, input)),
    },
    DnsBackendServer: {
      id: ({ id }: { readonly id: string }) => encodeId('DnsBackendServer', id),
    },
    DnsBackend: {
      __resolveReference: ({ id }: { id: string }, context: Context) => service.byGlobalId(context, id),
      id: ({ id }: BackendRow) => encodeId('DnsBackend', id),
      ...Object.fromEntries(settings),
      hasCredentials: ({ keyId }: BackendRow) => keyId !== null,
      capabilities: ({ type }: BackendRow) => {
        const { records, ...able } = capabilities[type];
        return { ...able, recordTypes: records };
      },
      servers: (row: BackendRow) => service.servers(row),
      zones: ({ id }: BackendRow, args: PageArguments, context: Context) =>
        reads.page(context, 'DnsZone', args, { equal: { backend_id: id } }),
    },
  };
  return resolvers as unknown as Resolvers;
}
