// The root fields of the fake graph: the supergraph's own schema with resolvers over a FakeWorld.
import { randomUUID } from 'node:crypto';
import { operationStates } from '../../../subgraphs/relay/rules/states.ts';
import { createAttentionRoot } from './fake-attention.ts';
import { createBalancerRoot } from './fake-balancers.ts';
import { createHostsRoot } from './fake-hosts.ts';
import { createNameRoot } from './fake-names.ts';
import { createPeopleRoot } from './fake-people.ts';
import {
  coded,
  type Fields,
  type ListArguments,
  mutationsOf,
  now,
  type Paging,
  page,
  projects,
  refusal,
  type WithId,
  type WithInput,
  withStatus,
  withText,
} from './fake-values.ts';
import { type ChangeFilter, type FakeMapping, type FakeOperation, type FakeWorld, isWanted } from './fake-world.ts';

export interface FakeContext {
  readonly bearer: string | null;
}

interface HistoryArguments extends Paging, ChangeFilter {}
interface ObjectArguments {
  readonly namespace: string;
  readonly type: string;
  readonly externalId: string;
}
interface CertificateArguments extends Paging {
  readonly expiresBefore?: string | null;
}
interface OperationsArguments extends Paging {
  readonly projectId?: string | null;
  readonly backendId?: string | null;
  readonly states?: readonly string[] | null;
  readonly text?: string | null;
}

interface MappingsArguments extends Paging {
  readonly backendId?: string | null;
  readonly mappingStates?: readonly string[] | null;
  readonly verifications?: readonly string[] | null;
}

type Resolver = (given: never, context: FakeContext) => unknown;
/** Without a login. */
const open: readonly string[] = ['login', 'sessionRefresh', 'logout'];

export function createRoot(world: FakeWorld): Readonly<Record<string, Resolver>> {
  const root: Readonly<Record<string, Resolver>> = {
    ...createAttentionRoot(world),
    ...createBalancerRoot(world),
    ...createNameRoot(world),
    ...createHostsRoot(world),
    ...createPeopleRoot(world),
    ...createSessionRoot(world),
    ...createRelayRoot(world),
    ...createOtherRoot(world),
  };
  const guarded =
    (resolve: Resolver): Resolver =>
    (given, context) => {
      if (context.bearer === null || !world.accessTokens.has(context.bearer))
        throw coded('UNAUTHENTICATED', 'Log in again.');
      return resolve(given, context);
    };
  return Object.fromEntries(
    Object.entries(root).map(([name, resolve]) => [name, open.includes(name) ? resolve : guarded(resolve)]),
  );
}

function createSessionRoot(world: FakeWorld) {
  /** Both name their session. */
  const tokens = (session: string = randomUUID()) => {
    const accessToken = `access-${session}/${randomUUID()}`;
    const refreshToken = `refresh-${session}/${randomUUID()}`;
    world.accessTokens.add(accessToken);
    world.refreshTokens.add(refreshToken);
    return {
      ...{ accessToken, accessTokenExpiresAt: now(world.accessTokenLifeMs), userErrors: [] },
      ...{ refreshToken, refreshTokenExpiresAt: now(86_400_000) },
    };
  };
  return {
    health: () => [
      { name: 'database', ready: true, detail: null },
      ...(world.isQuiet ? [{ name: 'quiet', ready: false, detail: 'it reads only' }] : []),
    ],
    login: ({ input }: WithInput) =>
      input.name === world.user.name && input.password === world.user.password
        ? tokens()
        : refusal('BAD_CREDENTIALS', 'Name and password are not right.', 'NEVER'),
    sessionRefresh: ({ input }: WithInput) =>
      world.refreshTokens.delete(String(input.refreshToken))
        ? tokens(sessionOf(String(input.refreshToken)))
        : refusal('BAD_CREDENTIALS', 'The refresh token is not, or no longer, good.', 'NEVER'),
    logout: ({ input }: Partial<WithInput>, { bearer }: FakeContext) => {
      if (input?.others === true) {
        const sessionsEnded = world.otherSessions.splice(0).length;
        return { sessionsEnded, userErrors: [] };
      }
      if (bearer !== null && world.accessTokens.has(bearer))
        for (const each of [world.accessTokens, world.refreshTokens])
          for (const token of each) if (sessionOf(token) === sessionOf(bearer)) each.delete(token);
      return { userErrors: [] };
    },
    me: () => {
      const { name, admin, role } = world.user;
      const own = { createdAt: now(), expiresAt: now(86_400_000), current: true };
      const sessions = [own, ...world.otherSessions];
      return { name, admin, sessions, projects: projects.map((project) => ({ project, role })) };
    },
  };
}

const driver = {
  ...{ name: 'linux-nftables', family: 'FIREWALL', summary: 'nftables of a Linux host, by SSH' },
  ...{ credentialFields: ['username', 'password', 'privateKey'], typedMutations: ['firewallAddressCreate'] },
  optionsSchema: { properties: { transport: { enum: ['ssh'] } } },
  operations: [
    { name: 'set.create', summary: 'Creates a set.', category: 'USER', effect: 'IDEMPOTENT', example: { set: 'x' } },
  ],
};

function createRelayRoot(world: FakeWorld) {
  const operationsOf = (filter: OperationsArguments) => newestFirst(world).filter(matches(filter));
  return {
    backends: ({ operatingStatuses, text, first, after }: ListArguments) =>
      page(withText(withStatus(world.backends.values(), operatingStatuses), text), first, after),
    backendsAt: ({ address }: { readonly address: string }) =>
      [...world.backends.values()].filter(({ host }) => String(host).startsWith(address)),
    backend: ({ id }: WithId) => world.backends.get(id) ?? null,
    mappings: ({ backendId, mappingStates: states, verifications, first, after }: MappingsArguments) => {
      const found = [...world.mappings.values()].filter(
        (mapping) =>
          (!backendId || mapping.backend.id === backendId) &&
          (!states || states.includes(mapping.mappingState)) &&
          (!verifications || verifications.includes(mapping.lastVerification?.result ?? '')),
      );
      return page(found.reverse(), first, after);
    },
    relayDrivers: () => [driver],
    mapping: ({ id }: WithId) => world.mappings.get(id) ?? null,
    relayOperations: (filter: OperationsArguments) => page(operationsOf(filter), filter.first, filter.after),
    relayOperationCounts: (filter: OperationsArguments) =>
      operationStates.map((state) => {
        const count = operationsOf(filter).filter((operation) => operation.state === state).length;
        return { state, count: Math.min(count, world.countedAtMost), complete: count <= world.countedAtMost };
      }),
    relayOperation: ({ id }: WithId) => world.operations.get(id) ?? null,
    ...mutationsOf(world, {
      relayOperationSettle: (input) => settle(world, input),
      backendHostKeyAccept: (input) => accept(world, input, 'hostKeySha256'),
      backendCertificateAccept: (input) => accept(world, input, 'certificateSha256'),
      mappingVerify: ({ id }) => verify(world.mappings.get(String(id)), world),
      backendCircuitClose: ({ id }) =>
        changed(world, String(id), { circuit: closed() }, { kind: 'backend.circuit', from: 'OPEN', to: 'CLOSED' }),
    }),
  };
}

function createOtherRoot(world: FakeWorld) {
  return {
    statusCursor: () => world.cursor,
    statusHistory: ({ first, after, ...filter }: HistoryArguments) => {
      const found = world.changes.filter((change) => isWanted(filter, change)).reverse();
      return page(
        found.map((change) => world.withSubject(change)),
        first,
        after,
      );
    },
    tlsCertificates: ({ expiresBefore, first, after }: CertificateArguments) => {
      const found = world.certificates.filter(({ validUntil }) => !expiresBefore || validUntil < expiresBefore);
      return page(
        found.toSorted((a, b) => (a.validUntil < b.validUntil ? -1 : 1)),
        first,
        after,
      );
    },
    objectClusters: ({ text, first, after }: ListArguments) => page(withText(world.clusters, text), first, after),
    objectCluster: ({ id }: WithId) => world.clusters.find((each) => each.id === id) ?? null,
    ...{ objectOptions: () => page([]), objectRings: () => page([]) },
    ...{ objectRingChanges: () => page([]), objectAccessKeys: () => page([]) },
    cmpObject: ({ namespace, type, externalId }: ObjectArguments) => {
      const own = <Node extends Fields>(nodes: Iterable<Node>): readonly Node[] =>
        [...nodes].filter(({ cmpObject }) => {
          const object = cmpObject as ObjectArguments | null | undefined;
          return object?.type === type && object.externalId === externalId && object.namespace === namespace;
        });
      const mappings = own(world.mappings.values()).map((mapping) => ({
        ...mapping,
        backend: world.backends.get(mapping.backend.id) ?? null,
      }));
      return {
        ...{ id: `${namespace}:${type}/${externalId}`, namespace, type, externalId, mappings: page(mappings) },
        relayOperations: page(own(newestFirst(world))),
        loadBalancers: page(own(world.loadBalancing.balancers.values())),
        gslbs: page(own(world.naming.names.values())),
        objectContainers: page(own(world.people.containers)),
      };
    },
  };
}

const newestFirst = (world: FakeWorld): FakeOperation[] => [...world.operations.values()].reverse();

const sessionOf = (token: string) => /^[a-z]+-([^/]+)/.exec(token)?.[1];

function matches({ projectId, backendId, states, text }: OperationsArguments) {
  return (operation: FakeOperation): boolean =>
    (!projectId || operation.project.id === projectId) &&
    (!backendId || operation.backend.id === backendId) &&
    (!states || states.includes(operation.state)) &&
    (!text || text.split(' ').every((word) => `${operation.name} ${operation.requestId}`.includes(word)));
}

const closed = () => ({ state: 'CLOSED', since: now(), reason: null });

function changed(world: FakeWorld, id: string, patch: Fields, told: Parameters<FakeWorld['updateBackend']>[2]) {
  world.updateBackend(id, patch, told);
  return { backend: world.backends.get(id) };
}

function accept(world: FakeWorld, input: Fields, field: 'hostKeySha256' | 'certificateSha256') {
  const to = field === 'hostKeySha256' ? 'HOST_KEY_ACCEPTED' : 'CERTIFICATE_ACCEPTED';
  const patch = { [field]: input[field], presented: null, circuit: closed() };
  return changed(world, String(input.id), patch, { kind: 'backend.identity', from: null, to });
}

/** The device's state is the mapping's `nextLook`. */
function verify(mapping: FakeMapping | undefined, world: FakeWorld): Fields {
  if (mapping === undefined) return refusal('NOT_FOUND', 'No such mapping.', 'NEVER');
  if (mapping.nextLook === undefined) return refusal('UNAVAILABLE', 'The device could not be asked.', 'SAME_KEY');
  const lastVerification = { verifiedAt: now(), ...mapping.nextLook };
  return { mapping: world.updateMapping(mapping.id, { lastVerification }) };
}

/** The probe's finding is the operation's `probeFinds`: a state, or nothing certain. */
function settle(world: FakeWorld, input: Fields): Fields {
  const operation = world.operations.get(String(input.id));
  if (operation === undefined) return refusal('NOT_FOUND', 'No such operation.', 'NEVER');
  if (operation.state !== 'UNKNOWN' && operation.state !== 'ACCEPTED')
    return refusal('WRONG_STATE', `The operation is ${operation.state}.`, 'NEVER');
  const { verdict, note } = input;
  const isQuiet = typeof operation.quietUntil === 'string' && Date.parse(operation.quietUntil) > Date.now();
  if (verdict !== undefined && isQuiet && input.force !== true)
    return refusal('QUIET_PERIOD', 'The call may still take effect. Wait, or set force.', 'SAME_KEY', [
      'input',
      'force',
    ]);
  if (verdict === undefined && operation.probeFinds === undefined)
    return refusal('NO_PROBE', `The operation ${operation.name} has no probe: give a verdict.`, 'NEVER');
  const finding = String(verdict ?? operation.probeFinds);
  const stateSource = verdict === undefined ? 'PROBE' : 'OPERATOR';
  const evidence = [
    ...(operation.evidence as unknown[]),
    { recordedAt: now(), source: stateSource, finding, note: note ?? null },
  ];
  if (finding !== 'SUCCEEDED' && finding !== 'FAILED')
    return { operation: world.updateOperation(operation.id, { evidence }, finding) };
  const ended = { state: finding, stateSource, finishedAt: now(), evidence };
  return { operation: world.updateOperation(operation.id, ended, String(note ?? stateSource.toLowerCase())) };
}
