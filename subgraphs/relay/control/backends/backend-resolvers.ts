// Resolvers of backends. The mappings and operations folders add the fields for mappings and operations.
import type { BackendTransport, Resolvers } from '../../../../generated/graph/relay.ts';
import type { Database } from '../../../../platform/database/database.ts';
import { protectionField } from '../../../../platform/edge/deletion-protection.ts';
import { deletePayload, payload } from '../../../../platform/edge/mutation.ts';
import { uptimeField } from '../../../../platform/events/uptime/uptime-reads.ts';
import { encodeId } from '../../../../platform/values/ids.ts';
import type { Driver } from '../../drivers/driver.ts';
import { mainTransport } from '../../drivers/options.ts';
import type { BackendView } from './backend.ts';
import { hexFingerprint } from './backend-input.ts';
import type { BackendReads } from './backend-reads.ts';
import type { BackendService } from './backend-service.ts';
import { optionsOf } from './endpoint.ts';
import type { ProofReader } from './proof-reader.ts';

export function backendResolvers(dependencies: {
  readonly db: Database;
  readonly reads: BackendReads;
  readonly service: BackendService;
  readonly proofs: ProofReader;
  readonly drivers: ReadonlyMap<string, Driver>;
}): Resolvers {
  const { db, reads, service, proofs, drivers } = dependencies;
  return {
    Query: {
      backend: (_, args, context) => reads.find(context, args),
      backends: (_, args, context) => reads.page(context, args),
      backendsAt: (_, args, context) => reads.at(context, args),
      backendProofRead: (_, { input }, context) => proofs.read(context, input),
    },
    Mutation: {
      backendCreate: (_, { input }, context) => payload('backend', service.create(context, input)),
      backendUpdate: (_, { input }, context) => payload('backend', service.update(context, input)),
      backendHostKeyAccept: (_, { input }, context) => payload('backend', service.acceptHostKey(context, input)),
      backendCertificateAccept: (_, { input }, context) =>
        payload('backend', service.acceptCertificate(context, input)),
      backendCircuitClose: (_, { input }, context) => payload('backend', service.closeCircuit(context, input)),
      backendReplayLift: (_, { input }, context) => payload('backend', service.liftReplay(context, input)),
      backendDelete: (_, { input }, context) => deletePayload('backend', input.id, service.delete(context, input)),
    },
    Backend: {
      __resolveReference: ({ id }, context) => reads.byGlobalId(context, id),
      id: (row) => encodeId('Backend', row.id),
      uptime: uptimeField(db, {
        ...{ subjectType: 'Backend', kind: 'backend.operatingStatus', judge: 'worker' },
        of: (row: BackendView) => ({ id: row.id, status: row.operatingStatus, createdAt: row.createdAt }),
      }),
      driver: (row) => drivers.get(row.driver) ?? null,
      driverName: (row) => row.driver,
      enabled: (row) => row.provisioningStatus === 'ENABLED',
      provisioningStatus: (row) => (row.provisioningStatus === 'DELETED' ? 'DELETED' : 'ACTIVE'),
      project: (row) => ({ id: encodeId('Project', row.projectId) }),
      deletionProtected: protectionField(db, 'Backend'),
      labels: (row, _, context) => reads.labels(context, row.id),
      health: (row) => ({
        operatingStatus: row.operatingStatus,
        checkedAt: row.checkedAt,
        latencyMs: row.latencyMs,
        softwareVersion: row.softwareVersion,
        serial: row.serial,
        message: row.healthMessage,
      }),
      circuit: (row) => ({
        state: row.circuitState,
        since: row.circuitSince,
        reason: row.circuitReason,
        lasting: row.circuitLasting,
      }),
      replayUncertain: (row, _, context) => reads.replayUncertain(context, row.id),
      limits: ({ concurrency, queueLimit, deadlineMs }) => ({ concurrency, queueLimit, deadlineMs }),
      options: (row) => optionsOf(row),
      transport: (row) => transportName(drivers, row),
      presented: ({ presentedKind: kind, presentedSha256: sha256 }) =>
        kind === null || sha256 === null ? null : { kind, sha256, hex: hexFingerprint(sha256) },
      credentialFields: (row, _, context) => reads.credentialFields(context, row.id),
      driverOperations: (row) => [...(drivers.get(row.driver)?.operations.values() ?? [])],
    },
  };
}

/** The relay can't call a backend whose driver it lacks: only its options name the transport. */
function transportName(drivers: ReadonlyMap<string, Driver>, row: BackendView): BackendTransport {
  const driver = drivers.get(row.driver);
  const kind = driver === undefined ? optionsOf(row).transport : mainTransport(driver, optionsOf(row));
  return String(kind ?? 'ssh').toUpperCase() as BackendTransport;
}
