// Objects that a first start and the command line create before anyone can log in: an administrator, a project, a token. They are
// written to the database directly, because a holder of its password is above the graph's rules; the audit trail records it.
import { randomBytes } from 'node:crypto';
import { audit } from '../../../platform/audit/audit.ts';
import type { Role } from '../../../platform/caller/identity.ts';
import type { Database } from '../../../platform/database/database.ts';
import { Refusal } from '../../../platform/errors/errors.ts';
import { InputCheck } from '../../../platform/input/input.ts';
import { refuseUnknown } from '../../../platform/input/refusals.ts';
import type { DirectUser, IssuedMachine, IssueWish } from '../../../platform/process/subgraph-row.ts';
import type { LoginCodes } from './access/login-codes.ts';
import type { PasswordHasher } from './access/password-hasher.ts';
import type { AlertRuleService } from './alerts/rule-service.ts';
import type { MachineService } from './machines/machine-service.ts';
import type { ProjectService } from './projects/project-service.ts';
import type { ProjectStore } from './stores/project-store.ts';
import type { UserStore } from './stores/user-store.ts';
import type { TokenService } from './tokens/token-service.ts';
import { checkPassword, checkUserName, type UserService } from './users/user-service.ts';

interface FirstStartOptions {
  readonly db: Database;
  readonly users: UserStore;
  readonly userService: UserService;
  readonly projects: ProjectStore;
  readonly projectService: ProjectService;
  readonly tokenService: TokenService;
  readonly machineService: MachineService;
  readonly ruleService: AlertRuleService;
  readonly hasher: PasswordHasher;
  readonly codes: LoginCodes;
}

/** Means "made by the system itself" where a maker's UUID is required. */
const nobody = '00000000-0000-0000-0000-000000000000';

export class FirstStart {
  readonly #options: FirstStartOptions;

  constructor(options: FirstStartOptions) {
    this.#options = options;
  }

  /**
   * Makes the first administrator if there is no user yet. `password` is returned only if it was generated here. Several
   * processes may try at once: one makes it.
   */
  async bootstrap(wish: {
    adminName: string;
    adminPassword?: string;
  }): Promise<{ created: boolean; password?: string }> {
    if (await this.#options.users.anyone()) return { created: false };
    const { adminName: name, adminPassword: password } = wish;
    const user = { name, admin: true, ...(password === undefined ? {} : { password }) };
    const made = this.#insertUser(user, 'bootstrap');
    return (await unlessTaken(made)) ? { created: true, ...(await made) } : { created: false };
  }

  async createUser(wish: DirectUser): Promise<{ password?: string }> {
    const check = new InputCheck();
    checkUserName(check, wish.name);
    checkPassword(check, wish.password);
    check.throwIfAny();
    return this.#insertUser(wish, 'createUser');
  }

  async recoverUser(wish: DirectUser): Promise<{ password?: string }> {
    const { db, users, userService, hasher } = this.#options;
    const check = new InputCheck();
    checkPassword(check, wish.password);
    check.throwIfAny();
    const { password, made } = passwordOf(wish);
    const passwordHash = await hasher.hash(password);
    const known = await users.login(wish.name);
    if (known === undefined) refuseUnknown('User', 'name', wish.name);
    await db.transaction(async (tx) => {
      const user = (await users.lock(tx, known.id)) ?? refuseUnknown('User', 'name', wish.name);
      const admin = wish.admin ?? user.admin;
      await userService.recover(tx, user, { passwordHash, admin });
      await audit(tx, record('recoverUser', { type: 'User', id: user.id }, null, { name: user.name, admin }));
    });
    return made;
  }

  async #insertUser(wish: DirectUser, action: string): Promise<{ password?: string }> {
    const { db, userService, hasher } = this.#options;
    const { name, admin = false } = wish;
    const { password, made } = passwordOf(wish);
    const passwordHash = await hasher.hash(password);
    await db.transaction(async (tx) => {
      const id = await userService.insert(tx, { name, passwordHash, admin });
      await audit(tx, record(action, { type: 'User', id }, null, { name, admin }));
    });
    return made;
  }

  /** The project with that name, created if there is none. Returns its UUID. */
  async ensureProject(name: string, description = ''): Promise<string> {
    const { db, projects, projectService } = this.#options;
    const known = await projects.byName(name);
    if (known !== undefined) return known.id;
    const made = db.transaction(async (tx) => {
      const id = await projectService.insert(tx, { name, description });
      await audit(tx, record('ensureProject', { type: 'Project', id }, id, { name }));
    });
    await unlessTaken(made);
    return (await projects.byName(name))?.id ?? '';
  }

  /** Makes an API token. Its secret is returned only here. */
  async issueToken(wish: {
    projectId: string;
    name: string;
    role: Role;
    expiresAt?: Date;
  }): Promise<{ id: string; secret: string }> {
    const { db, tokenService } = this.#options;
    const { projectId, name, role, expiresAt = null } = wish;
    return db.transaction(async (tx) => {
      const maker = { id: nobody, name: null, userId: null, parentId: null };
      const token = await tokenService.insert(tx, { projectId, name, role, expiresAt, operationHashes: null, maker });
      await audit(tx, record('issueToken', { type: 'ApiToken', id: token.id }, projectId, { name, role }));
      return token;
    });
  }

  /** A code that logs the user in once, within ten minutes, in this process. Undefined if the user can't log in. */
  async issueLoginCode(userName: string): Promise<string | undefined> {
    const { db, users, codes } = this.#options;
    const user = await users.login(userName);
    if (user === undefined || user.disabled) return undefined;
    await audit(db, record('issueLoginCode', { type: 'User', id: user.id }, null, { name: user.name }));
    return codes.issue({ id: user.id, name: user.name, version: user.version });
  }

  /** Makes machines that have already joined, before an endpoint exists. Refuses like machineCreate. */
  async issueMachines<const Wishes extends readonly IssueWish[]>(wishes: Wishes) {
    const issued = await this.#options.machineService.issue(wishes.map((wish) => ({ ...wish, createdBy: nobody })));
    return issued as { readonly [Index in keyof Wishes]: IssuedMachine };
  }

  /** Checks in at the installation's rule of that name with CHECK_IN_LATE, for a job that ran. False if there is none. */
  async checkIn(ruleName: string): Promise<boolean> {
    const { db, ruleService } = this.#options;
    return (await db.transaction((tx) => ruleService.checkInNamed(tx, ruleName))) > 0;
  }
}

/** `made` has the password only if it was generated here. */
function passwordOf({ password }: DirectUser): { password: string; made: { password?: string } } {
  if (password !== undefined) return { password, made: {} };
  const generated = randomBytes(18).toString('base64url');
  return { password: generated, made: { password: generated } };
}

/** False when another process was first. */
async function unlessTaken(made: Promise<unknown>): Promise<boolean> {
  try {
    await made;
    return true;
  } catch (error) {
    if (error instanceof Refusal && error.errors[0]?.code === 'ALREADY_EXISTS') return false;
    throw error;
  }
}

function record(action: string, subject: { type: string; id: string }, projectId: string | null, details: object) {
  return {
    identity: null,
    action,
    projectId,
    subjectType: subject.type,
    subjectId: subject.id,
    outcome: 'ACCEPTED' as const,
    requestId: 'command-line',
    details,
  };
}
