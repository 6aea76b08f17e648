// The root fields of the fake graph: the supergraph's own schema with resolvers over a FakeWorld.
import { randomUUID } from 'node:crypto';
import { operationStates } from '../../../subgraphs/relay/rules/states.ts';
import { createAttentionRoot } from './fake-attention.ts';
import { createBalancerRoot } from './fake-balancers.ts';
import { createHostsRoot } from './fake-hosts.ts';
import { createNameRoot } from './fake-names.ts';
import { createPeopleRoot } from './fake-people.ts';
import { coded, now, page, projects, withStatus, withText } from './fake-values.ts';
import { type ChangeFilter, type FakeMapping, type FakeOperation, type FakeWorld, isWanted } from './fake-world.ts';

export interface FakeContext {
  readonly bearer: string | null;
}

type Input = Readonly<Record<string, unknown>>;
interface WithInput {
  readonly input: Input;
}
interface Paging {
  readonly first?: number;
  readonly after?: string | null;
}
interface ListArguments extends Paging {
  readonly operatingStatuses?: readonly string[] | null;
  readonly text?: string | null;
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

export function createRoot(world: FakeWorld) {
  const guard = ({ bearer }: FakeContext): void => {
    if (bearer === null || !world.accessTokens.has(bearer)) throw coded('UNAUTHENTICATED', 'Log in again.');
  };
  /** Both name their session. */
  const tokens = (session: string = randomUUID()) => {
    const accessToken = `access-${session}/${randomUUID()}`;
    const refreshToken = `refresh-${session}/${randomUUID()}`;
    world.accessTokens.add(accessToken);
    world.refreshTokens.add(refreshToken);
    return {
      accessToken,
      accessTokenExpiresAt: now(world.accessTokenLifeMs),
      refreshToken,
      refreshTokenExpiresAt: now(86_400_000),
      userErrors: [],
    };
  };
  const record = (name: string, input: Input): void => {
    world.mutations.push({ name, input });
  };
  const newestFirst = (): FakeOperation[] => [...world.operations.values()].reverse();

  return {
    ...createAttentionRoot(world, guard),
    ...createBalancerRoot(world, guard),
    ...createNameRoot(world, guard),
    ...createHostsRoot(world, guard),
    ...createPeopleRoot(world, guard),
    statusCursor: (_: object, context: FakeContext) => {
      guard(context);
      return world.cursor;
    },
    me: (_: object, context: FakeContext) => {
      guard(context);
      const { name, admin, role } = world.user;
      return { name, admin, projects: projects.map((project) => ({ project, role })) };
    },
    backends: ({ operatingStatuses, text, first, after }: ListArguments, context: FakeContext) => {
      guard(context);
      return page(withText(withStatus(world.backends.values(), operatingStatuses), text), first, after);
    },
    backendsAt: ({ address }: { readonly address: string }, context: FakeContext) => {
      guard(context);
      return [...world.backends.values()].filter(({ host }) => String(host).startsWith(address));
    },
    backend: ({ id }: { readonly id: string }, context: FakeContext) => {
      guard(context);
      return world.backends.get(id) ?? null;
    },
    mappings: (
      { backendId, mappingStates: states, verifications, first, after }: MappingsArguments,
      context: FakeContext,
    ) => {
      guard(context);
      const found = [...world.mappings.values()].filter(
        (mapping) =>
          (!backendId || mapping.backend.id === backendId) &&
          (!states || states.includes(mapping.mappingState)) &&
          (!verifications || verifications.includes(mapping.lastVerification?.result ?? '')),
      );
      return page(found.reverse(), first, after);
    },
    tlsCertificates: ({ expiresBefore, first, after }: CertificateArguments, context: FakeContext) => {
      guard(context);
      const found = world.certificates.filter(({ validUntil }) => !expiresBefore || validUntil < expiresBefore);
      return page(
        found.toSorted((a, b) => (a.validUntil < b.validUntil ? -1 : 1)),
        first,
        after,
      );
    },
    objectOptions: ({ first, after }: Paging, context: FakeContext) => {
      guard(context);
      return page([], first, after);
    },
    objectClusters: ({ text, first, after }: ListArguments, context: FakeContext) => {
      guard(context);
      return page(withText(world.clusters, text), first, after);
    },
    objectCluster: ({ id }: { readonly id: string }) => world.clusters.find((each) => each.id === id) ?? null,
    objectRings: () => page([]),
    objectRingChanges: () => page([]),
    objectAccessKeys: () => page([]),
    relayDrivers: () => [
      {
        name: 'linux-nftables',
        family: 'FIREWALL',
        summary: 'nftables of a Linux host, by SSH',
        credentialFields: ['username', 'password', 'privateKey'],
        typedMutations: ['firewallAddressCreate'],
        optionsSchema: { properties: { transport: { enum: ['ssh'] } } },
        operations: [
          {
            name: 'set.create',
            summary: 'Creates a set.',
            category: 'USER',
            effect: 'IDEMPOTENT',
            example: { set: 'x' },
          },
        ],
      },
    ],
    mapping: ({ id }: { readonly id: string }, context: FakeContext) => {
      guard(context);
      return world.mappings.get(id) ?? null;
    },
    relayOperations: (filter: OperationsArguments, context: FakeContext) => {
      guard(context);
      return page(newestFirst().filter(matches(filter)), filter.first, filter.after);
    },
    relayOperationCounts: (filter: OperationsArguments, context: FakeContext) => {
      guard(context);
      const found = newestFirst().filter(matches(filter));
      return operationStates.map((state) => {
        const count = found.filter((operation) => operation.state === state).length;
        return { state, count: Math.min(count, world.countedAtMost), complete: count <= world.countedAtMost };
      });
    },
    relayOperation: ({ id }: { readonly id: string }, context: FakeContext) => {
      guard(context);
      return world.operations.get(id) ?? null;
    },
    statusHistory: ({ first, after, ...filter }: HistoryArguments, context: FakeContext) => {
      guard(context);
      const found = world.changes.filter((change) => isWanted(filter, change));
      return page(
        found.reverse().map((change) => world.withSubject(change)),
        first,
        after,
      );
    },
    cmpObject: ({ namespace, type, externalId }: ObjectArguments, context: FakeContext) => {
      guard(context);
      const own = <Node extends { readonly [field: string]: unknown }>(nodes: Iterable<Node>): readonly Node[] =>
        [...nodes].filter(({ cmpObject }) => {
          const object = cmpObject as ObjectArguments | null | undefined;
          return object?.type === type && object.externalId === externalId && object.namespace === namespace;
        });
      return {
        ...{ id: `${namespace}:${type}/${externalId}`, namespace, type, externalId },
        mappings: page(
          own(world.mappings.values()).map((mapping) => ({
            ...mapping,
            backend: world.backends.get(mapping.backend.id) ?? null,
          })),
        ),
        relayOperations: page(own(newestFirst())),
        loadBalancers: page(own(world.loadBalancing.balancers.values())),
        gslbs: page(own(world.naming.names.values())),
        objectContainers: page([]),
      };
    },
    login: ({ input }: WithInput) =>
      input.name === world.user.name && input.password === world.user.password
        ? tokens()
        : { userErrors: [refusal('BAD_CREDENTIALS', 'Name and password are not right.', 'NEVER')] },
    sessionRefresh: ({ input }: WithInput) =>
      world.refreshTokens.delete(String(input.refreshToken))
        ? tokens(sessionOf(String(input.refreshToken)))
        : { userErrors: [refusal('BAD_CREDENTIALS', 'The refresh token is not, or no longer, good.', 'NEVER')] },
    logout: (_: object, { bearer }: FakeContext) => {
      if (bearer !== null && world.accessTokens.has(bearer))
        for (const each of [world.accessTokens, world.refreshTokens])
          for (const token of each) if (sessionOf(token) === sessionOf(bearer)) each.delete(token);
      return { userErrors: [] };
    },
    relayOperationSettle: ({ input }: WithInput, context: FakeContext) => {
      guard(context);
      record('relayOperationSettle', input);
      return settle(world, input);
    },
    backendHostKeyAccept: ({ input }: WithInput, context: FakeContext) => {
      guard(context);
      record('backendHostKeyAccept', input);
      return accept(world, input, 'hostKeySha256');
    },
    backendCertificateAccept: ({ input }: WithInput, context: FakeContext) => {
      guard(context);
      record('backendCertificateAccept', input);
      return accept(world, input, 'certificateSha256');
    },
    mappingVerify: ({ input }: WithInput, context: FakeContext) => {
      guard(context);
      record('mappingVerify', input);
      return verify(world.mappings.get(String(input.id)), world);
    },
    backendCircuitClose: ({ input }: WithInput, context: FakeContext) => {
      guard(context);
      record('backendCircuitClose', input);
      const id = String(input.id);
      const circuit = { state: 'CLOSED', since: now(), reason: null };
      world.updateBackend(id, { circuit }, { kind: 'backend.circuit', from: 'OPEN', to: 'CLOSED' });
      return { backend: world.backends.get(id), userErrors: [] };
    },
  };
}

const sessionOf = (token: string) => /^[a-z]+-([^/]+)/.exec(token)?.[1];

function matches({ projectId, backendId, states, text }: OperationsArguments) {
  return (operation: FakeOperation): boolean =>
    (!projectId || operation.project.id === projectId) &&
    (!backendId || operation.backend.id === backendId) &&
    (!states || states.includes(operation.state)) &&
    (!text || text.split(' ').every((word) => `${operation.name} ${operation.requestId}`.includes(word)));
}

function accept(world: FakeWorld, input: Input, field: 'hostKeySha256' | 'certificateSha256') {
  const id = String(input.id);
  const circuit = { state: 'CLOSED', since: now(), reason: null };
  const to = field === 'hostKeySha256' ? 'HOST_KEY_ACCEPTED' : 'CERTIFICATE_ACCEPTED';
  world.updateBackend(
    id,
    { [field]: input[field], presented: null, circuit },
    { kind: 'backend.identity', from: null, to },
  );
  return { backend: world.backends.get(id), userErrors: [] };
}

/** The device's state is the mapping's `nextLook`. */
function verify(mapping: FakeMapping | undefined, world: FakeWorld) {
  if (mapping === undefined) return { userErrors: [refusal('NOT_FOUND', 'No such mapping.', 'NEVER')] };
  if (mapping.nextLook === undefined)
    return { userErrors: [refusal('UNAVAILABLE', 'The device could not be asked.', 'SAME_KEY')] };
  return {
    mapping: world.updateMapping(mapping.id, { lastVerification: { verifiedAt: now(), ...mapping.nextLook } }),
    userErrors: [],
  };
}

/** The probe's finding is the operation's `probeFinds`: a state, or nothing certain. */
function settle(world: FakeWorld, input: Input) {
  const operation = world.operations.get(String(input.id));
  if (operation === undefined) return { userErrors: [refusal('NOT_FOUND', 'No such operation.', 'NEVER')] };
  if (operation.state !== 'UNKNOWN' && operation.state !== 'ACCEPTED') {
    return { userErrors: [refusal('WRONG_STATE', `The operation is ${operation.state}.`, 'NEVER')] };
  }
  const { verdict, note } = input;
  const isQuiet = typeof operation.quietUntil === 'string' && Date.parse(operation.quietUntil) > Date.now();
  if (verdict !== undefined && isQuiet && input.force !== true) {
    const message = 'The call may still take effect. Wait, or set force.';
    return { userErrors: [refusal('QUIET_PERIOD', message, 'SAME_KEY', ['input', 'force'])] };
  }
  if (verdict === undefined && operation.probeFinds === undefined) {
    return {
      userErrors: [refusal('NO_PROBE', `The operation ${operation.name} has no probe: give a verdict.`, 'NEVER')],
    };
  }
  const finding = String(verdict ?? operation.probeFinds);
  const source = verdict === undefined ? 'probe' : 'operator';
  const evidence = [
    ...(operation.evidence as unknown[]),
    { recordedAt: now(), source: source.toUpperCase(), finding, note: note ?? null },
  ];
  const isFinal = finding === 'SUCCEEDED' || finding === 'FAILED';
  const settled = isFinal
    ? world.updateOperation(
        operation.id,
        { state: finding, stateSource: source.toUpperCase(), finishedAt: now(), evidence },
        String(note ?? source),
      )
    : world.updateOperation(operation.id, { evidence }, finding);
  return { operation: settled, userErrors: [] };
}

function refusal(code: string, message: string, retry: string, field: readonly string[] = []) {
  return { code, message, field, retry, retryAfterMs: null };
}
