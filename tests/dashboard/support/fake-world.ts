// An in-memory Tidegate for the dashboard tests: entities, a stream of status changes with cursors, and logins. It outlives the
// fake server, like the database outlives a gateway. Only tests advance its clock, and only forward.
import { EventEmitter, once } from 'node:events';
import { FakeBalancers } from './fake-balancers.ts';
import { FakeHosts } from './fake-hosts.ts';
import { FakeNames } from './fake-names.ts';
import { FakePeople } from './fake-people.ts';
import {
  coded,
  type FakeNamed,
  type FakeObject,
  type FakeProject,
  type Fields,
  now,
  page,
  project,
  type Tell,
  updateIn,
} from './fake-values.ts';

interface OfBackend extends FakeObject {
  readonly backend: { readonly id: string; readonly name: string };
  readonly project: FakeProject;
}
export interface FakeOperation extends OfBackend {
  readonly name: string;
  readonly state: string;
  readonly createdAt: string;
}
export interface FakeMapping extends OfBackend {
  readonly mappingState: string;
  readonly lastVerification: FakeVerification | null;
  /** The finding of the next read; undefined: the device can't be read. */
  readonly nextLook?: Omit<FakeVerification, 'verifiedAt'> | undefined;
}

interface FakeVerification {
  readonly verifiedAt: string;
  readonly result: string;
  readonly differences: readonly { readonly path: string; readonly wanted: unknown; readonly found: unknown }[];
}

interface FakeCertificate {
  readonly id: string;
  readonly name: string;
  readonly validUntil: string;
  readonly hostNames: readonly string[];
}

/** Of the stream and of the history. */
export interface ChangeFilter {
  readonly kinds?: readonly string[] | null;
  readonly subjectTypes?: readonly string[] | null;
}

interface FakeChange extends Fields {
  readonly id: string;
  readonly subjectType: string;
  readonly subjectId: string;
}

export class FakeWorld {
  readonly backends = new Map<string, FakeNamed>();
  readonly operations = new Map<string, FakeOperation>();
  readonly mappings = new Map<string, FakeMapping>();
  readonly #tell: Tell = (subject, { kind, from, to, reason = null }) => this.#append(subject, kind, from, to, reason);
  readonly loadBalancing = new FakeBalancers(this.#tell);
  readonly naming = new FakeNames(this.#tell);
  readonly hosts = new FakeHosts(({ kind, to, reason = null }) => {
    this.#hostEvents += 1;
    this.#append({ __typename: 'HaCluster', id: 'cluster', version: this.#hostEvents }, kind, null, to, reason);
  });
  readonly people = new FakePeople();
  readonly certificates: FakeCertificate[] = [];
  readonly clusters: Fields[] = [];
  readonly changes: FakeChange[] = [];
  /** Of this user. */
  readonly otherSessions = [{ createdAt: now(-3_600_000), expiresAt: now(82_800_000), current: false }];
  readonly user = { name: 'admin', password: 'correct horse battery', admin: true, role: 'OPERATOR' };
  /** Root fields whose subgraph is lost. */
  readonly lostFields = new Set<string>();
  /** The process is in quiet mode. */
  isQuiet = false;
  /** Counts of operations end here. */
  countedAtMost = Number.POSITIVE_INFINITY;
  /** Cursors below it are expired. */
  oldestSeq = 0;
  /** Sends checkpoints to new subscribers at once. */
  accessTokenLifeMs = 15 * 60_000;
  /** Valid tokens. */
  readonly accessTokens = new Set<string>();
  readonly refreshTokens = new Set<string>();
  /** Inputs of mutations, in order. */
  readonly mutations: { readonly name: string; readonly input: Fields }[] = [];
  readonly #news = new EventEmitter().setMaxListeners(0);
  #serial = 0;
  #hostEvents = 0;

  addBackend(patch: Partial<FakeNamed> = {}): FakeNamed {
    const number = this.backends.size + 1;
    const backend: FakeNamed = {
      ...{ __typename: 'Backend', id: `b${number}`, version: 1, name: `fw-${number}`, project, family: 'FIREWALL' },
      ...{
        driverName: 'linux-nftables',
        ordinal: number,
        site: 'fra1',
        labels: [{ name: 'rack', value: `b${number}` }],
      },
      ...{ host: `192.0.2.${number % 250}`, port: 22, transport: 'SSH', enabled: true, provisioningStatus: 'ACTIVE' },
      ...{ operatingStatus: 'ONLINE', health: health({ softwareVersion: 'nftables 1.0.6', latencyMs: 4 }) },
      ...{ circuit: { state: 'CLOSED', since: null, reason: null }, cryptoProfile: 'MODERN', allowInit: false },
      queue: { waiting: 0, inFlight: 0, limit: 100, holder: 'relay-1' },
      limits: { concurrency: 4, queueLimit: 100, deadlineMs: 30_000 },
      ...{ separateObjects: false, hostKeySha256: 'SHA256:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU' },
      ...{ certificateSha256: null, caCertificates: null, presented: null, options: {}, createdAt: now() },
      credentialFields: ['username', 'privateKey'],
      ...patch,
    };
    this.backends.set(backend.id, backend);
    return backend;
  }

  /** Changes a backend; with `change`, its status change is streamed. */
  updateBackend(id: string, patch: Fields, change?: { kind: string; from: string | null; to: string }): void {
    const { version } = this.backends.get(id) ?? {};
    const backend = updateIn([this.backends], id, change === undefined ? { ...patch, version } : patch);
    if (change !== undefined) this.#tell(backend, change);
  }

  addOperation(patch: Partial<FakeOperation> = {}): FakeOperation {
    this.#serial += 1;
    const { id, name } = this.backends.values().next().value ?? this.addBackend();
    const operation: FakeOperation = {
      ...{ __typename: 'RelayOperation', id: `o${String(this.#serial).padStart(6, '0')}`, version: 1 },
      ...{ name: 'set-element.add', effect: 'IDEMPOTENT', state: 'SENT', project, backend: { id, name } },
      cmpObject: { namespace: 'default', type: 'tenant', externalId: String(this.#serial), relayOperations: page([]) },
      arguments: { set: 'blocked', address: '203.0.113.7' },
      wireCall:
        'nft -j -f - <<< {"nftables":[{"add":{"element":{"family":"inet","table":"filter","name":"blocked"}}}]}',
      ...{ result: null, deviceError: null, createdAt: now(), startedAt: now(), deadlineAt: now(30_000) },
      ...{ quietUntil: null, finishedAt: null, stateSource: null, settledBy: null, evidence: [], changedMappings: [] },
      ...{ requestedBy: { name: 'cmp-token' }, requestId: `req-${this.#serial}` },
      ...patch,
    };
    this.operations.set(operation.id, operation);
    this.#append(operation, 'relayOperation.state', null, operation.state, null);
    return operation;
  }

  updateOperation(id: string, patch: Partial<FakeOperation>, reason: string | null = null): FakeOperation {
    const from = this.operations.get(id)?.state ?? null;
    const operation = updateIn([this.operations], id, patch);
    this.#append(operation, 'relayOperation.state', from, operation.state, reason);
    return operation;
  }

  addMapping(patch: Partial<FakeMapping> = {}): FakeMapping {
    const number = this.mappings.size + 1;
    const { id, name } = this.backends.values().next().value ?? this.addBackend();
    const wanted = { action: 'ACCEPT', protocol: 'TCP', destinationPort: '443' };
    const mapping: FakeMapping = {
      ...{ __typename: 'Mapping', id: `m${number}`, version: 1, mappingState: 'ACTIVE', mappingRole: '' },
      ...{ resource: 'rule', scope: 'inet filter forward', objectKey: `rule-${number}`, uuid: String(100 + number) },
      wantedSettings: Object.entries(wanted).map(([setting, value]) => ({ name: setting, value })),
      ...{ shared: false, project, backend: { id, name }, lastVerification: null, operation: null },
      cmpObject: { namespace: 'default', type: 'tenant', externalId: String(number) },
      ...{ createdAt: now(-3_600_000), updatedAt: now(-3_600_000) },
      ...patch,
    };
    this.mappings.set(mapping.id, mapping);
    return mapping;
  }

  /** Changes a mapping like a verification or a call does; the change is streamed. */
  updateMapping(id: string, patch: Partial<FakeMapping>): FakeMapping {
    const { lastVerification: before = null, mappingState: from = null } = this.mappings.get(id) ?? {};
    const mapping = updateIn([this.mappings], id, patch);
    const { lastVerification: after } = mapping;
    if (after !== null && after !== before)
      this.#append(mapping, 'mapping.verification', before?.result ?? null, after.result, null);
    else this.#append(mapping, 'mapping.state', from, mapping.mappingState, null);
    return mapping;
  }

  get cursor(): string {
    return `c${this.changes.length}`;
  }

  /** A change of a subject that the graph does not give. */
  tell(subject: FakeObject, kind: string, to: string, reason: string): void {
    this.#append(subject, kind, null, to, reason);
  }

  /** The changes after `after`, without an end. Throws an error with `extensions.code` when the cursor is too old. */
  async *follow(
    after: string | null,
    filter: ChangeFilter,
    signal: AbortSignal,
  ): AsyncGenerator<{ cursor: string; kind: string; change: unknown }> {
    let seq = after === null ? this.changes.length : Number(after.slice(1));
    if (seq < this.oldestSeq) throw coded('CURSOR_EXPIRED', 'The cursor is older than what is kept.');
    yield { cursor: `c${seq}`, kind: 'CHECKPOINT', change: null };
    while (!signal.aborted) {
      const change = this.changes[seq];
      if (change === undefined) {
        await once(this.#news, 'news', { signal }).catch(() => undefined);
        continue;
      }
      seq += 1;
      if (!isWanted(filter, change)) continue;
      yield { cursor: `c${seq}`, kind: 'CREATED', change: this.withSubject(change) };
    }
  }

  withSubject(change: FakeChange): unknown {
    const entities: Readonly<Record<string, ReadonlyMap<string, unknown>>> = {
      Backend: this.backends,
      RelayOperation: this.operations,
      Mapping: this.mappings,
      LoadBalancer: this.loadBalancing.balancers,
      LoadBalancerNode: this.loadBalancing.nodes,
      PoolMember: this.loadBalancing.members,
      LoadBalancerHost: this.loadBalancing.hosts,
      Gslb: this.naming.names,
      GslbPoolMember: this.naming.members,
      Alert: new Map(this.people.alerts.map((alert) => [alert.id, alert])),
      ObjectCluster: new Map(this.clusters.map((cluster) => [String(cluster.id), cluster])),
    };
    return { ...change, subject: entities[change.subjectType]?.get(change.subjectId) ?? null };
  }

  #append(subject: FakeObject, kind: string, from: string | null, to: string, reason: string | null): void {
    const seq = this.changes.length + 1;
    this.changes.push({
      ...{ seq, id: `s${seq}`, changedAt: now(), kind, project: subject.project ?? null, from, to, reason },
      ...{
        subjectType: subject.__typename,
        subjectId: subject.id,
        subjectName: null,
        subjectVersion: subject.version,
        requestId: null,
      },
    });
    this.#news.emit('news');
  }
}

export function isWanted({ kinds, subjectTypes }: ChangeFilter, { kind, subjectType }: FakeChange): boolean {
  return (!kinds || kinds.includes(String(kind))) && (!subjectTypes || subjectTypes.includes(subjectType));
}

export function health(patch: Fields): Fields {
  return {
    ...{ status: 'ONLINE', checkedAt: now(), latencyMs: null, softwareVersion: null, serial: null, message: null },
    ...patch,
  };
}

export function verification(result: string, differences: FakeVerification['differences'] = [], verifiedAt = now()) {
  return { lastVerification: { verifiedAt, result, differences } };
}
