// The relay's resolvers: each hands on to a service or a store and shapes rows as the graph shows them.

import { type Commits, commitResolvers } from '../../../platform/commits.ts';
import type { Database } from '../../../platform/database/database.ts';
import { decodeCmpObject, encodeCmpObject } from '../../../platform/graph/cmp-object.ts';
import type { PageArguments } from '../../../platform/graph/connection.ts';
import type { RequestContext } from '../../../platform/identity.ts';
import { encodeId } from '../../../platform/ids.ts';
import type { Leases } from '../../../platform/leases.ts';
import { hexFingerprint } from '../backends/backend-input.ts';
import type {
  BackendCertificateAcceptInput,
  BackendCreateInput,
  BackendDeleteInput,
  BackendHostKeyAcceptInput,
  BackendIdInput,
  BackendService,
  BackendUpdateInput,
} from '../backends/backend-service.ts';
import type { BackendRow } from '../backends/backend-store.ts';
import { optionsOf } from '../backends/endpoint.ts';
import type { CallRequest } from '../calls/call-request.ts';
import type { CallService } from '../calls/call-service.ts';
import type { ReadService, RelayReadInput } from '../calls/read-service.ts';
import type { OperationSettleInput, SettleService } from '../calls/settle-service.ts';
import {
  type MappedObjectDeleteInput,
  mappedObjectDelete,
  type RelayCallInput,
  relayCall,
  type SelectedInput,
  typedCall,
} from '../calls/typed-calls.ts';
import type { Driver } from '../drivers/driver.ts';
import { mainTransport } from '../drivers/options.ts';
import { typedMutations } from '../families/families.ts';
import { backendLease } from '../holding/backend-manager.ts';
import type { MappingChangeFeed, MappingChangesArguments } from '../mappings/change-feed.ts';
import type {
  MappingAdoptInput,
  MappingIdInput,
  MappingService,
  MappingShareInput,
} from '../mappings/mapping-service.ts';
import type { MappingRow, MappingState } from '../mappings/mapping-store.ts';
import type { CallResult, OperationRow } from '../model/operation.ts';
import type { OperationState } from '../model/states.ts';
import type { Entities } from './entities.ts';
import type { FeedArguments, Feeds } from './feeds.ts';
import { inputScalars } from './input-scalars.ts';
import type { BackendArguments, ListArguments, MappingArguments, Pages } from './pages.ts';
import type { IResolvers } from './resolver-map.ts';

export interface ResolverParts {
  readonly db: Database;
  readonly leases: Leases;
  readonly commits: Commits;
  readonly drivers: ReadonlyMap<string, Driver>;
  readonly entities: Entities;
  readonly pages: Pages;
  readonly feeds: Feeds;
  readonly backends: BackendService;
  readonly calls: CallService;
  readonly reads: ReadService;
  readonly settling: SettleService;
  readonly mappingService: MappingService;
  readonly mappingChanges: MappingChangeFeed;
  /** This process's owner id, and the name to show for it. */
  readonly owner: string;
  readonly name: string;
}

interface Input<T> {
  readonly input: T;
}
interface Reference {
  readonly id: string;
}

export function relayResolvers(parts: ResolverParts): IResolvers {
  const { entities, pages, feeds, backends, reads, settling } = parts;
  return {
    ...inputScalars,
    Query: {
      backend: (_: unknown, { id }: Reference, context: RequestContext) => entities.byGlobalId(context, 'Backend', id),
      backends: (_: unknown, args: BackendArguments, context: RequestContext) => pages.backends(context.identity, args),
      operation: (_: unknown, { id }: Reference, context: RequestContext) =>
        entities.byGlobalId(context, 'Operation', id),
      operations: (_: unknown, args: ListArguments<OperationState>, context: RequestContext) =>
        pages.operations(context.identity, args),
      mapping: (_: unknown, { id }: Reference, context: RequestContext) => entities.byGlobalId(context, 'Mapping', id),
      mappings: (_: unknown, args: MappingArguments, context: RequestContext) => pages.mappings(context.identity, args),
      relayMappingChanges: (_: unknown, args: MappingChangesArguments, context: RequestContext) =>
        parts.mappingChanges.page(context.identity, args),
      relayRead: (_: unknown, { input }: Input<RelayReadInput>, context: RequestContext) => reads.read(context, input),
      drivers: () => [...parts.drivers.values()],
    },
    Mutation: {
      backendCreate: (_: unknown, { input }: Input<BackendCreateInput>, context: RequestContext) =>
        backends.create(context, input),
      backendUpdate: (_: unknown, { input }: Input<BackendUpdateInput>, context: RequestContext) =>
        backends.update(context, input),
      backendHostKeyAccept: (_: unknown, { input }: Input<BackendHostKeyAcceptInput>, context: RequestContext) =>
        backends.acceptHostKey(context, input),
      backendCertificateAccept: (
        _: unknown,
        { input }: Input<BackendCertificateAcceptInput>,
        context: RequestContext,
      ) => backends.acceptCertificate(context, input),
      backendCircuitClose: (_: unknown, { input }: Input<BackendIdInput>, context: RequestContext) =>
        backends.closeCircuit(context, input),
      backendDelete: (_: unknown, { input }: Input<BackendDeleteInput>, context: RequestContext) =>
        backends.delete(context, input),
      operationSettle: (_: unknown, { input }: Input<OperationSettleInput>, context: RequestContext) =>
        settling.settle(context, input),
      ...mappingMutations(parts),
      ...callResolvers(parts),
    },
    Subscription: {
      operationChanges: {
        subscribe: (_: unknown, args: FeedArguments & { backendId?: string | null }, context: RequestContext) =>
          feeds.operations(context, args),
      },
      backendChanges: {
        subscribe: (_: unknown, args: FeedArguments, context: RequestContext) => feeds.backends(context, args),
      },
    },
    Backend: backendResolvers(parts),
    Operation: operationResolvers(parts),
    Mapping: mappingResolvers(parts),
    CmpObject: cmpObjectResolvers(parts),
    Driver: {
      operations: (driver: Driver) => [...driver.operations.values()],
      typedMutations: (driver: Driver) => Object.keys(driver.typed),
    },
    RelayPayload: {
      mapping: async ({ operation }: CallResult, _: unknown, context: RequestContext) =>
        operation === null ? null : (await entities.mappingsOf(context, operation.id))[0],
    },
    Commit: commitResolvers(parts.commits),
    Node: { __resolveType: (row: { readonly __typename?: string }) => row.__typename },
  };
}

function mappingMutations({ mappingService: mappings }: ResolverParts) {
  return {
    mappingAdopt: (_: unknown, { input }: Input<MappingAdoptInput>, context: RequestContext) =>
      mappings.adopt(context, input),
    mappingShare: (_: unknown, { input }: Input<MappingShareInput>, context: RequestContext) =>
      mappings.share(context, input),
    mappingVerify: (_: unknown, { input }: Input<MappingIdInput>, context: RequestContext) =>
      mappings.verify(context, input),
    mappingForget: (_: unknown, { input }: Input<MappingIdInput>, context: RequestContext) =>
      mappings.forget(context, input),
  };
}

function callResolvers({ db, calls }: ResolverParts) {
  const relaying =
    <T>(request: (input: T, context: RequestContext) => CallRequest) =>
    (_: unknown, { input }: Input<T>, context: RequestContext): Promise<CallResult> =>
      calls.call(context, request(input, context));
  return {
    relayCall: relaying<RelayCallInput>(relayCall),
    mappedObjectDelete: relaying<MappedObjectDeleteInput>((input, context) =>
      mappedObjectDelete(db, context.identity, input),
    ),
    ...Object.fromEntries(
      typedMutations.map((mutation) => [mutation.name, relaying<SelectedInput>(typedCall(mutation))]),
    ),
  };
}

function backendResolvers({ entities, pages, leases, drivers, owner, name }: ResolverParts) {
  return {
    __resolveReference: ({ id }: Reference, context: RequestContext) => entities.byGlobalId(context, 'Backend', id),
    id: (row: BackendRow) => encodeId('Backend', row.id),
    project,
    labels: (row: BackendRow, _: unknown, context: RequestContext) => entities.labels(context, row.id),
    health: (row: BackendRow) => ({
      status: row.operatingStatus,
      checkedAt: row.checkedAt,
      latencyMs: row.latencyMs,
      softwareVersion: row.softwareVersion,
      serial: row.serial,
      message: row.healthMessage,
    }),
    circuit: (row: BackendRow) => ({
      state: row.circuitState,
      since: row.circuitSince,
      reason: row.circuitReason,
    }),
    queue: (row: BackendRow, _: unknown, context: RequestContext) => ({
      waiting: async () => (await entities.queue(context, row.id)).waiting,
      inFlight: async () => (await entities.queue(context, row.id)).inFlight,
      limit: row.queueLimit,
      holder: async () => {
        const holder = await leases.holder(backendLease(row.id));
        if (holder?.live !== true) return null;
        return holder.owner === owner ? name : holder.owner;
      },
    }),
    limits: ({ concurrency, queueLimit, deadlineMs }: BackendRow) => ({ concurrency, queueLimit, deadlineMs }),
    allowInit: (row: BackendRow) => row.allowInit === 1,
    options: (row: BackendRow) => optionsOf(row),
    transport: (row: BackendRow) => transportName(drivers, row),
    presented: (row: BackendRow) =>
      row.presentedSha256 === null
        ? null
        : { kind: row.presentedKind, sha256: row.presentedSha256, hex: hexFingerprint(row.presentedSha256) },
    credentialFields: (row: BackendRow, _: unknown, context: RequestContext) =>
      entities.credentialFields(context, row.id),
    driverOperations: (row: BackendRow) => [...(drivers.get(row.driver)?.operations.values() ?? [])],
    operations: (row: BackendRow, args: ListArguments<OperationState>, context: RequestContext) =>
      pages.operations(context.identity, args, { backendId: row.id }),
    mappings: (row: BackendRow, args: ListArguments<MappingState>, context: RequestContext) =>
      pages.mappings(context.identity, args, { backendId: row.id }),
  };
}

/** A backend whose driver this relay lacks is spoken to by nobody: its options alone can say. */
function transportName(drivers: ReadonlyMap<string, Driver>, row: BackendRow): string {
  const driver = drivers.get(row.driver);
  const kind = driver === undefined ? optionsOf(row).transport : mainTransport(driver, optionsOf(row));
  return String(kind ?? 'ssh').toUpperCase();
}

function operationResolvers({ entities }: ResolverParts) {
  return {
    __resolveReference: ({ id }: Reference, context: RequestContext) => entities.byGlobalId(context, 'Operation', id),
    id: (row: OperationRow) => encodeId('Operation', row.id),
    project,
    backend: (row: OperationRow, _: unknown, context: RequestContext) => entities.backend(context, row.backendId),
    cmpObject: (row: OperationRow) =>
      row.cmpNamespace === null || row.cmpType === null || row.cmpId === null
        ? null
        : cmpStub(row.cmpNamespace, row.cmpType, row.cmpId),
    arguments: (row: OperationRow) => JSON.parse(row.arguments) as unknown,
    result: (row: OperationRow) => (row.result === null ? null : (JSON.parse(row.result) as unknown)),
    deviceError: (row: OperationRow) =>
      row.errorCode === null ? null : { code: row.errorCode, message: row.errorMessage ?? '' },
    evidence: (row: OperationRow, _: unknown, context: RequestContext) => entities.evidence(context, row.id),
    mappings: (row: OperationRow, _: unknown, context: RequestContext) => entities.mappingsOf(context, row.id),
  };
}

function mappingResolvers({ entities }: ResolverParts) {
  return {
    __resolveReference: ({ id }: Reference, context: RequestContext) => entities.byGlobalId(context, 'Mapping', id),
    id: (row: MappingRow) => encodeId('Mapping', row.id),
    project,
    cmpObject: (row: MappingRow) => cmpStub(row.namespace, row.cmpType, row.cmpId),
    backend: (row: MappingRow, _: unknown, context: RequestContext) => entities.backend(context, row.backendId),
    key: (row: MappingRow) => row.objectKey,
    shared: (row: MappingRow) => row.shared === 1,
    desired: (row: MappingRow) => (row.desired === null ? null : (JSON.parse(row.desired) as unknown)),
    lastVerification: (row: MappingRow) =>
      row.verifyResult === null
        ? null
        : {
            at: row.verifiedAt,
            result: row.verifyResult,
            differences: row.verifyDiff === null ? [] : (JSON.parse(row.verifyDiff) as unknown),
          },
    operation: (row: MappingRow, _: unknown, context: RequestContext) =>
      row.operationId === null ? null : entities.operation(context, row.operationId),
  };
}

function cmpObjectResolvers({ pages }: ResolverParts) {
  return {
    __resolveReference: ({ id }: Reference) => (decodeCmpObject(id) === undefined ? null : { id }),
    mappings: ({ id }: Reference, args: ListArguments<MappingState>, context: RequestContext) => {
      const cmp = decodeCmpObject(id);
      return cmp === undefined ? null : pages.mappings(context.identity, args, { cmp });
    },
    operations: ({ id }: Reference, args: PageArguments, context: RequestContext) => {
      const cmp = decodeCmpObject(id);
      return cmp === undefined ? null : pages.operations(context.identity, args, { cmp });
    },
  };
}

function project(row: { readonly projectId: string }) {
  return { __typename: 'Project', id: encodeId('Project', row.projectId) };
}

function cmpStub(namespace: string, type: string, externalId: string) {
  return { __typename: 'CmpObject', id: encodeCmpObject({ namespace, type, externalId }) };
}
