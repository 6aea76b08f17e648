// The system subgraph, put together: rights, the audit trail, status changes, commits, and the entities that connect all
// subgraphs. Nothing is started here; its dependencies are passed in and belong to the caller.
import type { Logger } from 'pino';
import type { Resolvers } from '../../generated/graph/system.ts';
import type { Authenticator, CheckLogin } from '../../platform/access.ts';
import type { Commits } from '../../platform/commits.ts';
import type { Database } from '../../platform/database/database.ts';
import type { StatusFeed } from '../../platform/events/feed.ts';
import type { EventKinds } from '../../platform/events/kinds.ts';
import { createSubgraph } from '../../platform/graph/create-subgraph.ts';
import { foreignNodes } from '../../platform/graph/sdl.ts';
import type { Subgraph } from '../../platform/graph/subgraph.ts';
import type { HaCluster } from '../../platform/ha-cluster.ts';
import type { Authority } from '../../platform/machines/authority.ts';
import type { Mutations } from '../../platform/mutation.ts';
import type { ProjectEnd, ProjectHoldings } from '../../platform/projects.ts';
import type { CursorSealer } from '../../platform/secrets/cursor-sealer.ts';
import type { PublicKeys, SigningKeys } from '../../platform/secrets/key-pairs.ts';
import type { Keyring } from '../../platform/secrets/keyring.ts';
import type { Wake } from '../../platform/wake.ts';
import { accessResolvers } from './access/access-resolvers.ts';
import { AccessTokens } from './access/access-tokens.ts';
import { Attempts } from './access/attempts.ts';
import { SystemAuthenticator } from './access/authenticator.ts';
import { CredentialStore } from './access/credential-store.ts';
import { type IdentityProvider, LocalIdentityProvider } from './access/identity-provider.ts';
import { loginChecker } from './access/login-checker.ts';
import { Argon2Hasher, type PasswordHasher } from './access/password-hasher.ts';
import type { RateLimiter } from './access/rate-limiter.ts';
import { SessionService } from './access/session-service.ts';
import { auditResolvers } from './audit/audit-resolvers.ts';
import { Entities } from './entities.ts';
import { FirstStart } from './first-start.ts';
import { haResolvers } from './ha/ha-resolvers.ts';
import { HaService } from './ha/ha-service.ts';
import { machineResolvers } from './machines/machine-resolvers.ts';
import { MachineService } from './machines/machine-service.ts';
import { MachineStore } from './machines/machine-store.ts';
import { nodeResolvers, type PartHealth } from './nodes/node-resolvers.ts';
import { projectResolvers } from './projects/project-resolvers.ts';
import { ProjectService } from './projects/project-service.ts';
import { ProjectStore } from './projects/project-store.ts';
import { statusResolvers } from './status/status-resolvers.ts';
import { tokenResolvers } from './tokens/token-resolvers.ts';
import { TokenService } from './tokens/token-service.ts';
import { TokenStore } from './tokens/token-store.ts';
import { userResolvers } from './users/user-resolvers.ts';
import { UserService } from './users/user-service.ts';
import { UserStore } from './users/user-store.ts';

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
  /** Signs the certificates of machines; undefined: the installation has none. */
  readonly authority: () => Promise<Authority | undefined>;
  /** The roles that machines may have. */
  readonly roles: readonly string[];
  readonly log: Logger;
  /** Of all subgraphs: the kinds allowed in a filter of status changes. */
  readonly eventKinds: EventKinds;
  /** The state of the system's parts, as this process sees it. */
  readonly health: () => Promise<readonly PartHealth[]>;
  /** The hosts of the database; absent: it has none of its own. */
  readonly haCluster?: HaCluster | undefined;
  /** What all subgraphs have of a project. */
  readonly projectHoldings: ProjectHoldings;
  readonly projectEnd?: ProjectEnd;
  /** Verifies a person's identity; default: passwords in the database. */
  readonly identityProvider?: IdentityProvider;
  readonly passwordHasher?: PasswordHasher;
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
  const tokens = new TokenStore(db);
  const machines = new MachineStore(db);
  const credentials = new CredentialStore(db, { maxSessionsPerUser: options.maxSessionsPerUser });
  const entities = new Entities({ projects, users, tokens, machines, elsewhere: foreignNodes(sdl) });
  const hasher = options.passwordHasher ?? new Argon2Hasher();
  const provider = options.identityProvider ?? new LocalIdentityProvider({ users, hasher });
  const accessTokens = new AccessTokens(options);
  const attempts = new Attempts(rateLimiter);
  const sessions = new SessionService({ db, credentials, provider, accessTokens, attempts });
  const userService = new UserService({ users, entities, credentials, attempts, hasher, mutations, keyring, wake });
  const { authority, roles } = options;
  const machineService = new MachineService({ db, machines, entities, attempts, mutations, wake, authority, roles });
  const tokenService = new TokenService({ tokens, projects, credentials, entities, mutations, wake });
  const { projectHoldings: holdings, projectEnd: ending } = options;
  const projectService = new ProjectService({
    projects,
    users,
    tokenService,
    entities,
    mutations,
    wake,
    holdings,
    db,
    ending,
  });
  const { haCluster: cluster, log } = options;
  const ha = new HaService({ cluster, mutations, log });
  const resolvers: readonly Resolvers[] = [
    accessResolvers({ sessions, projects }),
    projectResolvers({ entities, projects, service: projectService }),
    userResolvers({ entities, users, service: userService }),
    tokenResolvers({ entities, tokens, service: tokenService }),
    machineResolvers({ entities, machines, service: machineService }),
    statusResolvers({ db, feed, entities, kinds: options.eventKinds }),
    auditResolvers({ db, entities, keyring, publicKeys: options.publicKeys, cluster }),
    haResolvers({ cluster, service: ha }),
    nodeResolvers({ entities, health: options.health }),
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
    }),
  };
}
