// Entities with the fields that the page's documents select, for tests of the pure parts.
import type { Entity, FeedItem, StatusChange, Viewer } from '../../../dashboard/src/live/entity-kind.ts';
import type { Snapshot } from '../../../dashboard/src/live/live-state.ts';
import type { Backend } from '../../../dashboard/src/pages/relay/kinds/backend.ts';
import type { Mapping } from '../../../dashboard/src/pages/relay/kinds/mapping.ts';
import type { Operation } from '../../../dashboard/src/pages/relay/kinds/operation.ts';

const viewer: Viewer = { name: 'admin', admin: true, projects: [] };

export function backend(patch: Partial<Backend> = {}): Backend {
  return {
    __typename: 'Backend',
    id: 'b1',
    version: 1,
    name: 'fw-1',
    project: { id: 'p1', name: 'acme' },
    family: 'FIREWALL',
    driverName: 'linux-nftables',
    ordinal: 1,
    site: 'fra1',
    labels: [{ name: 'rack', value: 'b12' }],
    host: '192.0.2.1',
    port: 22,
    transport: 'SSH',
    enabled: true,
    provisioningStatus: 'ACTIVE',
    operatingStatus: 'ONLINE',
    health: { checkedAt: null, latencyMs: null, softwareVersion: null, serial: null, message: null },
    circuit: { state: 'CLOSED', since: null, reason: null },
    queue: { waiting: 0, inFlight: 0, limit: 100, holder: null },
    cryptoProfile: 'MODERN',
    hostKeySha256: null,
    certificateSha256: null,
    presented: null,
    ...patch,
  };
}

export function operation(patch: Partial<Operation> = {}): Operation {
  return {
    __typename: 'RelayOperation',
    id: 'o1',
    version: 1,
    name: 'rule.create',
    project: { id: 'p1', name: 'acme' },
    backend: { id: 'b1', name: 'fw-1' },
    effect: 'NON_IDEMPOTENT',
    state: 'SENT',
    cmpObject: { namespace: 'default', type: 'tenant', externalId: '42' },
    deviceError: null,
    createdAt: '2026-01-31T12:00:00.000Z',
    startedAt: null,
    deadlineAt: null,
    quietUntil: null,
    finishedAt: null,
    stateSource: null,
    settledBy: null,
    requestedBy: { name: 'cmp' },
    requestId: 'req-1',
    ...patch,
  };
}

export function mapping(patch: Partial<Mapping> = {}): Mapping {
  return {
    __typename: 'Mapping',
    id: 'm1',
    version: 1,
    project: { id: 'p1', name: 'acme' },
    backend: { id: 'b1', name: 'fw-1' },
    cmpObject: { namespace: 'default', type: 'tenant', externalId: '42' },
    mappingRole: '',
    resource: 'rule',
    scope: 'inet filter forward',
    objectKey: 'web',
    uuid: '7',
    shared: false,
    mappingState: 'ACTIVE',
    updatedAt: '2026-01-31T12:00:00.000Z',
    lastVerification: null,
    ...patch,
  };
}

/** A verification's finding. */
export function found(
  result: 'MATCHES' | 'DRIFTED' | 'MISSING',
  verifiedAt = '2026-01-31T12:00:00.000Z',
): Pick<Mapping, 'lastVerification'> {
  const differences = result === 'DRIFTED' ? [{ path: 'action', wanted: 'ACCEPT', found: 'DROP' }] : [];
  return { lastVerification: { verifiedAt, result, differences } };
}

/** Item `number` of the stream: its cursor is `c<number>` and its change `s<number>`. */
export function item(number: number, subject: StatusChange['subject'], patch: Partial<StatusChange> = {}): FeedItem {
  const known: Entity | null = subject !== null && 'version' in subject ? subject : null;
  return {
    cursor: `c${number}`,
    kind: 'CREATED',
    change: {
      id: `s${number}`,
      changedAt: '2026-01-31T12:00:00.000Z',
      kind: 'relayOperation.state',
      project: null,
      subjectType: subject?.__typename ?? 'RelayOperation',
      subjectId: known?.id ?? 'o1',
      subjectName: null,
      subjectVersion: known?.version ?? 1,
      from: null,
      to: 'SENT',
      reason: null,
      subject,
      ...patch,
    },
  };
}

export function checkpoint(number: number): FeedItem {
  return { cursor: `c${number}`, kind: 'CHECKPOINT', change: null };
}

export function snapshot(patch: Partial<Snapshot> = {}): Snapshot {
  return { cursor: 'c0', viewer, entities: [], history: [], ...patch };
}
