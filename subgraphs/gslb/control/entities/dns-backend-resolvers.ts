// Resolvers of DNS backends.
import type { BackendRow } from '../../../../dns/backends/backend.ts';
import type { SeenServer } from '../../../../dns/backends/backend-store.ts';
import { capabilities } from '../../../../dns/records/backend-types.ts';
import type { QueryDnsBackendArgs, QueryDnsBackendsArgs, Resolvers } from '../../../../generated/graph/gslb.ts';
import type { RequestContext } from '../../../../platform/caller/identity.ts';
import { deletePayload, payload } from '../../../../platform/edge/mutation.ts';
import type { PageArguments } from '../../../../platform/pages/connection.ts';
import { encodeId } from '../../../../platform/values/ids.ts';
import { dnsBackend } from '../../spec/dns-backend.ts';
import { backendSettings, type DnsBackendService } from './dns-backend-service.ts';
import type { EntityReads } from './entity-reads.ts';
import { childLists } from './entity-store.ts';

type Context = RequestContext;

export function dnsBackendResolvers(service: DnsBackendService, reads: EntityReads): Resolvers {
  const settings = Object.keys(dnsBackend.fields).map((name) => [
    name,
    (row: BackendRow) => backendSettings(row)[name] ?? null,
  ]);
  const resolvers = {
    Query: {
      dnsBackend: (_: unknown, args: Partial<QueryDnsBackendArgs>, context: Context) => service.byKey(context, args),
      dnsBackends: (_: unknown, args: Partial<QueryDnsBackendsArgs>, context: Context) => service.page(context, args),
    },
    Mutation: {
      dnsBackendCreate: (_: unknown, { input }: { input: never }, context: Context) =>
        payload('dnsBackend', service.create(context, input)),
      dnsBackendUpdate: (_: unknown, { input }: { input: never }, context: Context) =>
        payload('dnsBackend', service.update(context, input)),
      dnsBackendDelete: (_: unknown, { input }: { input: { readonly id: string } }, context: Context) =>
        deletePayload('dnsBackend', input.id, service.delete(context, input)),
    },
    DnsBackendServer: {
      id: ({ id }: SeenServer) => encodeId('DnsBackendServer', id),
      serverState: ({ state }: SeenServer) => state,
      message: ({ error }: SeenServer) => error,
    },
    DnsBackend: {
      __resolveReference: ({ id }: { id: string }, context: Context) => service.byGlobalId(context, id),
      id: ({ id }: BackendRow) => encodeId('DnsBackend', id),
      ...Object.fromEntries(settings),
      credentialsSet: ({ keyId }: BackendRow) => keyId !== null,
      capabilities: ({ type }: BackendRow) => {
        const { records, ...able } = capabilities[type];
        return { ...able, recordTypes: records };
      },
      servers: (row: BackendRow, _: unknown, context: Context) => service.servers(context, row),
      zones: ({ id }: BackendRow, args: PageArguments, context: Context) =>
        reads.pageOf(context, childLists.backendZones, id, args),
    },
  };
  return resolvers as unknown as Resolvers;
}
