// The system subgraph, put together: rights, the audit trail, status changes, commits, and the entities that connect all
// subgraphs. Nothing is started here; its dependencies are passed in and belong to the caller.
import type { Logger } from 'pino';
import type { Registry } from 'prom-client';
import type { Resolvers } from '../../generated/graph/system.ts';
import { attentionKey, attentionResolvers, measureAttention } from '../../platform/attention/attention.ts';
import type { Authenticator, CheckLogin } from '../../platform/caller/access.ts';
import type { Commits } from '../../platform/database/commits.ts';
import type { Database } from '../../platform/database/database.ts';
import type { Mutations } from '../../platform/edge/mutation.ts';
import type { ProjectEnd, ProjectHoldings } from '../../platform/edge/projects.ts';
import type { StatusFeed } from '../../platform/events/feed.ts';
import type { EventKinds } from '../../platform/events/kinds.ts';
import { createSubgraph } from '../../platform/graph/create-subgraph.ts';
import { foreignNodes } from '../../platform/graph/sdl.ts';
import type { Subgraph } from '../../platform/graph/subgraph.ts';
import { caller } from '../../platform/input/authorise.ts';
import type { Authority } from '../../platform/machines/authority.ts';
import type { EgressPolicy } from '../../platform/net/egress.ts';
import type { HaCluster } from '../../platform/process/ha-cluster.ts';
import { addCheckInMetrics } from '../../platform/process/metrics.ts';
import type { OutsideNodes } from '../../platform/process/subgraph-row.ts';
import type { CursorSealer } from '../../platform/secrets/cursor-sealer.ts';
import type { PublicKeys, SigningKeys } from '../../platform/secrets/key-pairs.ts';
import type { Keyring } from '../../platform/secrets/keyring.ts';
import type { Sealer } from '../../platform/secrets/seal.ts';
import type { Wake } from '../../platform/work/wake.ts';
import { accessResolvers } from './control/access/access-resolvers.ts';
import { AccessTokens } from './control/access/access-tokens.ts';
import { Attempts } from './control/access/attempts.ts';
import { SystemAuthenticator } from './control/access/authenticator.ts';
import { CredentialStore } from './control/access/credential-store.ts';
import { type IdentityProvider, LocalIdentityProvider } from './control/access/identity-provider.ts';
import { loginChecker } from './control/access/login-checker.ts';
import { LoginCodes } from './control/access/login-codes.ts';
import { Argon2Hasher, type PasswordHasher } from './control/access/password-hasher.ts';
import { QuietSessions, withoutWrites } from './control/access/quiet-sessions.ts';
import type { RateLimiter } from './control/access/rate-limiter.ts';
import { SessionService } from './control/access/session-service.ts';
import { alertResolvers } from './control/alerts/alert-resolvers.ts';
import { AlertService } from './control/alerts/alert-service.ts';
import { AlertChannelService } from './control/alerts/channel-service.ts';
import { AlertRuleService } from './control/alerts/rule-service.ts';
import { AlertTargetService } from './control/alerts/target-service.ts';
import { appliedResolvers } from './control/applied/applied-resolvers.ts';
import { alertAttention, databaseAttention } from './control/attention.ts';
import { auditResolvers } from './control/audit/audit-resolvers.ts';
import { Entities } from './control/entities.ts';
import { FirstStart } from './control/first-start.ts';
import { haResolvers } from './control/ha/ha-resolvers.ts';
import { HaService } from './control/ha/ha-service.ts';
import { historyResolvers } from './control/history/history-resolvers.ts';
import { machineResolvers } from './control/machines/machine-resolvers.ts';
import { MachineService } from './control/machines/machine-service.ts';
import { type ComponentHealth, nodeResolvers } from './control/nodes/node-resolvers.ts';
import { processResolvers } from './control/processes/process-resolvers.ts';
import { MembershipPages } from './control/projects/membership-pages.ts';
import { projectResolvers } from './control/projects/project-resolvers.ts';
import { ProjectService } from './control/projects/project-service.ts';
import { publishedResolvers } from './control/published/published-resolvers.ts';
import { PublishedService } from './control/published/published-service.ts';
import { OutsideEvents } from './control/status/outside-events.ts';
import { statusResolvers } from './control/status/status-resolvers.ts';
import { AlertChannelStore } from './control/stores/alert-channel-store.ts';
import { DeliveryStore } from './control/stores/alert-delivery-store.ts';
import { AlertRuleStore } from './control/stores/alert-rule-store.ts';
import { AlertStore } from './control/stores/alert-store.ts';
import { MachineStore } from './control/stores/machine-store.ts';
import { ProjectStore } from './control/stores/project-store.ts';
import { PublishedOperationStore } from './control/stores/published-operation-store.ts';
import { TokenStore } from './control/stores/token-store.ts';
import { UserStore } from './control/stores/user-store.ts';
import { tokenResolvers } from './control/tokens/token-resolvers.ts';
import { TokenService } from './control/tokens/token-service.ts';
import { userResolvers } from './control/users/user-resolvers.ts';
import { UserService } from './control/users/user-service.ts';

export interface SystemSubgraphOptions {
  /** Complete (platform/graph/sdl.ts): it also names the Nodes that other subgraphs own. */
  readonly sdl: string;
  readonly db: Database;
  readonly feed: StatusFeed;
  readonly commits: Commits;
  readonly cursors: CursorSealer;
  readonly mutations: Mutations;
  readonly wake: Wake;
  /** The keys shared by the subgraphs. */
  readonly keyring: Keyring;
  /** The keys that sign access tokens. */
  readonly signingKeys: SigningKeys;
  readonly publicKeys: PublicKeys;
  readonly accessTokenSeconds?: number;
  readonly maxSessionsPerUser?: number;
  readonly rateLimiter: RateLimiter;
  /** Signs the certificates of machines. Undefined if the installation has none. */
  readonly authority: () => Promise<Authority | undefined>;
  /** The roles that machines may have. */
  readonly roles: readonly string[];
  readonly log: Logger;
  /** Default: nothing is measured. */
  readonly registry?: Registry;
  /** Event kinds of all subgraphs, which a filter of status changes may name. */
  readonly eventKinds: EventKinds;
  /** The Nodes of other teams' subgraphs. */
  readonly outsideNodes: OutsideNodes;
  /** Default: the value of the setting. */
  readonly outsideEventsPerMinute?: number;
  /** The state of the system's components, as this process sees it. */
  readonly health: () => Promise<readonly ComponentHealth[]>;
  /** The hosts of the database. Absent if the database has no hosts of its own. */
  readonly haCluster?: HaCluster | undefined;
  /** Describes the objects that all subgraphs have in a project. */
  readonly projectHoldings: ProjectHoldings;
  readonly projectEnd?: ProjectEnd;
  /** Verifies a person's identity. Default: passwords in the database. */
  readonly identityProvider?: IdentityProvider;
  readonly passwordHasher?: PasswordHasher;
  /** Policy for the addresses of alert channels. */
  readonly egress: EgressPolicy;
  /** Seals the secrets of alert channels. Throws ConfigError if no key file is set. */
  readonly sealer: () => Promise<Sealer>;
  /** Without a final slash. Default: alerts have no links. */
  readonly dashboardUrl?: string | undefined;
}

export interface SystemSubgraph extends Subgraph {
  readonly authenticator: Authenticator;
  readonly checkLogin: CheckLogin;
  readonly firstStart: FirstStart;
  readonly ha: HaService;
}

export function createSystemSubgraph(options: SystemSubgraphOptions): SystemSubgraph {
  const { sdl, db, commits, cursors, keyring, haCluster: cluster } = options;
  const stores = storesOf(options);
  const entities = new Entities({ ...stores, cluster, elsewhere: foreignNodes(sdl) });
  const access = accessParts(options, stores);
  const services = servicesOf(options, stores, { ...access, entities });
  const attention = [alertAttention({ db, alerts: stores.alerts }), databaseAttention(db, cluster)];
  for (const part of attention) measureAttention(options.registry, part);
  if (options.registry !== undefined) addCheckInMetrics(options.registry, () => stores.alertRules.checkInAges());
  const resolvers: readonly Resolvers[] = [
    ...resolversOf(options, stores, { ...access, ...services, entities }),
    {
      ...attentionResolvers(...attention),
      Query: {
        attention(_, _args, context) {
          caller(context);
          return { id: attentionKey };
        },
      },
    },
  ];
  return {
    ...createSubgraph({ name: 'system', sdl, commits, cursors, resolvers }),
    authenticator: new SystemAuthenticator({
      credentials: stores.credentials,
      accessTokens: access.accessTokens,
      keyring,
    }),
    checkLogin: loginChecker(access.sessions),
    ha: services.ha,
    firstStart: new FirstStart({ db, ...stores, ...access, ...services }),
  };
}

type Stores = ReturnType<typeof storesOf>;

function storesOf({ db, maxSessionsPerUser }: SystemSubgraphOptions) {
  return {
    users: new UserStore(db),
    projects: new ProjectStore(db),
    tokens: new TokenStore(db),
    machines: new MachineStore(db),
    published: new PublishedOperationStore(db),
    alertRules: new AlertRuleStore(db),
    alertChannels: new AlertChannelStore(db),
    alerts: new AlertStore(db),
    deliveries: new DeliveryStore(db),
    credentials: db.readsOnly ? new QuietSessions(db) : new CredentialStore(db, { maxSessionsPerUser }),
  };
}

type AccessParts = ReturnType<typeof accessParts>;

function accessParts(options: SystemSubgraphOptions, { users, credentials }: Stores) {
  const { db, rateLimiter, passwordHasher: hasher = new Argon2Hasher() } = options;
  const provider = options.identityProvider ?? new LocalIdentityProvider({ users, hasher });
  const accessTokens = new AccessTokens(options);
  const attempts = new Attempts(rateLimiter);
  const codes = new LoginCodes();
  const sessions = new SessionService({
    ...{ db: db.readsOnly ? withoutWrites(db) : db, credentials, provider, accessTokens, attempts, codes },
  });
  return { hasher, accessTokens, attempts, codes, sessions };
}

interface WithEntities {
  readonly entities: Entities;
}

type Services = ReturnType<typeof servicesOf>;

function servicesOf(options: SystemSubgraphOptions, stores: Stores, parts: AccessParts & WithEntities) {
  const { db, mutations, wake, haCluster: cluster, log, authority, roles, egress, sealer } = options;
  const { users, projects, tokens, machines, published, credentials, alerts, deliveries } = stores;
  const { entities, attempts, hasher } = parts;
  const { projectHoldings: holdings, projectEnd: ending } = options;
  const tokenService = new TokenService({ tokens, projects, credentials, entities, mutations, wake });
  return {
    tokenService,
    userService: new UserService({ users, entities, credentials, attempts, hasher, mutations, wake }),
    machineService: new MachineService({
      ...{ db, machines, entities, credentials, attempts, mutations, wake, authority, roles },
    }),
    projectService: new ProjectService({
      ...{ projects, users, credentials, tokenService, entities, mutations, wake, holdings, db, ending },
    }),
    publishedService: new PublishedService({ published, mutations, wake }),
    ha: new HaService({ cluster, mutations, log }),
    ruleService: new AlertRuleService({ rules: stores.alertRules, mutations, wake }),
    channelService: new AlertChannelService({
      ...{ channels: stores.alertChannels, deliveries, mutations, wake, egress, sealer },
    }),
    targetService: new AlertTargetService({ mutations, egress }),
    alertService: new AlertService({ alerts, mutations, wake }),
  };
}

function resolversOf(
  options: SystemSubgraphOptions,
  stores: Stores,
  parts: AccessParts & Services & WithEntities,
): readonly Resolvers[] {
  const { db, feed, keyring, publicKeys, mutations, wake, outsideNodes, haCluster: cluster } = options;
  const { users, projects, tokens, machines, published, alertRules: rules, alertChannels: channels } = stores;
  const { entities, sessions } = parts;
  const { outsideEventsPerMinute: perMinute = 1_200, dashboardUrl = null } = options;
  const memberships = new MembershipPages(projects);
  const outsideEvents = new OutsideEvents({ db, machines, mutations, wake, nodes: outsideNodes, perMinute });
  return [
    accessResolvers({ sessions, projects }),
    projectResolvers({ entities, projects, memberships, service: parts.projectService }),
    userResolvers({ entities, users, memberships, service: parts.userService }),
    tokenResolvers({ entities, tokens, service: parts.tokenService }),
    machineResolvers({ entities, machines, service: parts.machineService }),
    processResolvers({ db }),
    publishedResolvers({ entities, published, service: parts.publishedService }),
    statusResolvers({ db, feed, entities, kinds: options.eventKinds, outsideNodes, outsideEvents }),
    auditResolvers({ db, entities, keyring, publicKeys, cluster }),
    alertResolvers({ ...stores, ...parts, rules, channels, dashboardUrl }),
    appliedResolvers({ db, entities }),
    historyResolvers({ db, entities }),
    haResolvers({ cluster, entities, service: parts.ha }),
    nodeResolvers({ entities, health: options.health }),
  ];
}
