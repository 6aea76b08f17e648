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
import type { RateLimiter } from './control/access/rate-limiter.ts';
import { SessionService } from './control/access/session-service.ts';
import { alertResolvers } from './control/alerts/alert-resolvers.ts';
import { AlertService } from './control/alerts/alert-service.ts';
import { AlertChannelService } from './control/alerts/channel-service.ts';
import { AlertRuleService } from './control/alerts/rule-service.ts';
import { appliedResolvers } from './control/applied/applied-resolvers.ts';
import { alertAttention, databaseAttention } from './control/attention.ts';
import { auditResolvers } from './control/audit/audit-resolvers.ts';
import { Entities } from './control/entities.ts';
import { FirstStart } from './control/first-start.ts';
import { haResolvers } from './control/ha/ha-resolvers.ts';
import { HaService } from './control/ha/ha-service.ts';
import { machineResolvers } from './control/machines/machine-resolvers.ts';
import { MachineService } from './control/machines/machine-service.ts';
import { type ComponentHealth, nodeResolvers } from './control/nodes/node-resolvers.ts';
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
  /** Default: as the setting. */
  readonly outsideEventsPerMinute?: number;
  /** The state of the system's components, as this process sees it. */
  readonly health: () => Promise<readonly ComponentHealth[]>;
  /** The hosts of the database. Absent if it has no hosts of its own. */
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
  const { sdl, db, feed, commits, mutations, wake, keyring, rateLimiter } = options;
  const users = new UserStore(db);
  const projects = new ProjectStore(db);
  const memberships = new MembershipPages(projects);
  const tokens = new TokenStore(db);
  const machines = new MachineStore(db);
  const published = new PublishedOperationStore(db);
  const alertRules = new AlertRuleStore(db);
  const alertChannels = new AlertChannelStore(db);
  const alerts = new AlertStore(db);
  const deliveries = new DeliveryStore(db);
  const credentials = new CredentialStore(db, { maxSessionsPerUser: options.maxSessionsPerUser });
  const { haCluster: cluster, log } = options;
  const entities = new Entities({
    projects,
    users,
    tokens,
    machines,
    published,
    alerts,
    alertRules,
    alertChannels,
    cluster,
    elsewhere: foreignNodes(sdl),
  });
  const hasher = options.passwordHasher ?? new Argon2Hasher();
  const provider = options.identityProvider ?? new LocalIdentityProvider({ users, hasher });
  const accessTokens = new AccessTokens(options);
  const attempts = new Attempts(rateLimiter);
  const codes = new LoginCodes();
  const sessions = new SessionService({ db, credentials, provider, accessTokens, attempts, codes });
  const userService = new UserService({ users, entities, credentials, attempts, hasher, mutations, wake });
  const { authority, roles } = options;
  const machineService = new MachineService({
    ...{ db, machines, entities, credentials, attempts, mutations, wake, authority, roles },
  });
  const tokenService = new TokenService({ tokens, projects, credentials, entities, mutations, wake });
  const { projectHoldings: holdings, projectEnd: ending } = options;
  const projectService = new ProjectService({
    projects,
    users,
    credentials,
    tokenService,
    entities,
    mutations,
    wake,
    holdings,
    db,
    ending,
  });
  const publishedService = new PublishedService({ published, mutations, wake });
  const ha = new HaService({ cluster, mutations, log });
  const { outsideNodes, outsideEventsPerMinute: perMinute = 1_200 } = options;
  const outsideEvents = new OutsideEvents({ db, machines, mutations, wake, nodes: outsideNodes, perMinute });
  const { egress, sealer, dashboardUrl = null } = options;
  const alerting = {
    ...{ rules: alertRules, channels: alertChannels, alerts, deliveries, dashboardUrl },
    ruleService: new AlertRuleService({ rules: alertRules, mutations, wake }),
    channelService: new AlertChannelService({ channels: alertChannels, deliveries, mutations, wake, egress, sealer }),
    alertService: new AlertService({ alerts, mutations, wake }),
  };
  const attention = [alertAttention({ db, alerts }), databaseAttention(db, cluster)];
  for (const part of attention) measureAttention(options.registry, part);
  const resolvers: readonly Resolvers[] = [
    accessResolvers({ sessions, projects }),
    projectResolvers({ entities, projects, memberships, service: projectService }),
    userResolvers({ entities, users, memberships, service: userService }),
    tokenResolvers({ entities, tokens, service: tokenService }),
    machineResolvers({ entities, machines, service: machineService }),
    publishedResolvers({ entities, published, service: publishedService }),
    statusResolvers({ db, feed, entities, kinds: options.eventKinds, outsideNodes, outsideEvents }),
    auditResolvers({ db, entities, keyring, publicKeys: options.publicKeys, cluster }),
    alertResolvers({ ...alerting, entities }),
    appliedResolvers({ db, entities }),
    haResolvers({ cluster, entities, service: ha }),
    nodeResolvers({ entities, health: options.health }),
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
    ...createSubgraph({ name: 'system', sdl, commits, cursors: options.cursors, resolvers }),
    authenticator: new SystemAuthenticator({ credentials, accessTokens, keyring }),
    checkLogin: loginChecker(sessions),
    ha,
    firstStart: new FirstStart({
      db,
      users,
      userService,
      projects,
      projectService,
      tokenService,
      machineService,
      hasher,
      codes,
    }),
  };
}
