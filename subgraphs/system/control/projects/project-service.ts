// Changes of projects and memberships.

import type {
  MembershipRemoveInput,
  MembershipSetInput,
  ProjectCreateInput,
  ProjectDeleteInput,
  ProjectUpdateInput,
} from '../../../../generated/graph/system.ts';
import type { Identity, RequestContext, Role } from '../../../../platform/caller/identity.ts';
import { settingId } from '../../../../platform/caller/manner.ts';
import type { Database, Transaction } from '../../../../platform/database/database.ts';
import type { Setting } from '../../../../platform/edge/applied-objects.ts';
import type { Attempt, Effect, MutationOutcome, Mutations } from '../../../../platform/edge/mutation.ts';
import {
  forgetProject,
  type ProjectEnd,
  type ProjectHoldings,
  recordProject,
} from '../../../../platform/edge/projects.ts';
import { refuse } from '../../../../platform/errors/errors.ts';
import { appendStatus } from '../../../../platform/events/append.ts';
import { caller, requireAdmin } from '../../../../platform/input/authorise.ts';
import { refuseStale, refuseTaken, refuseUnknown } from '../../../../platform/input/refusals.ts';
import { decodeUuid, encodeId, newUuid } from '../../../../platform/values/ids.ts';
import type { Wake } from '../../../../platform/work/wake.ts';
import { requireAdminNow } from '../access/admin-now.ts';
import type { CredentialStore } from '../access/credential-store.ts';
import type { Entities } from '../entities.ts';
import { systemEvents } from '../events.ts';
import type { Membership, Project } from '../stores/project.ts';
import type { ProjectStore } from '../stores/project-store.ts';
import type { User } from '../stores/user.ts';
import type { UserStore } from '../stores/user-store.ts';
import type { TokenService } from '../tokens/token-service.ts';

/** An identity is sent in one HTTP header, which is limited to about 16 KiB. Users with more projects must be administrators. */
const mostMemberships = 200;

interface ProjectServiceOptions {
  readonly projects: ProjectStore;
  readonly users: UserStore;
  readonly credentials: CredentialStore;
  readonly tokenService: TokenService;
  readonly entities: Entities;
  readonly mutations: Mutations;
  readonly wake: Wake;
  /** Describes the objects that all subgraphs have in a project. */
  readonly holdings: ProjectHoldings;
  readonly db: Database;
  /** Runs the actions of all subgraphs when a project is deleted. */
  readonly ending?: ProjectEnd | undefined;
}

export class ProjectService {
  readonly #projects: ProjectStore;
  readonly #users: UserStore;
  readonly #credentials: CredentialStore;
  readonly #tokenService: TokenService;
  readonly #entities: Entities;
  readonly #mutations: Mutations;
  readonly #wake: Wake;
  readonly #holdings: ProjectHoldings;
  readonly #db: Database;
  readonly #ending: ProjectEnd | undefined;

  constructor(options: ProjectServiceOptions) {
    this.#projects = options.projects;
    this.#users = options.users;
    this.#credentials = options.credentials;
    this.#tokenService = options.tokenService;
    this.#entities = options.entities;
    this.#mutations = options.mutations;
    this.#wake = options.wake;
    this.#holdings = options.holdings;
    this.#db = options.db;
    this.#ending = options.ending;
  }

  create(context: RequestContext, input: ProjectCreateInput): Promise<MutationOutcome<Project>> {
    const identity = caller(context);
    return this.#mutations.run({
      name: 'projectCreate',
      context,
      input,
      subject: 'Project',
      prepare: ({ check }) => {
        requireAdmin(identity);
        check.name('name', input.name);
        check.text('description', input.description, { multiline: true });
        return (tx) => this.insert(tx, { name: input.name, description: input.description ?? '' });
      },
      read: (id) => this.#entities.project(context, id),
    });
  }

  /** Creates a project in the caller's transaction; returns its UUID. */
  async insert(tx: Transaction, project: { name: string; description: string }): Promise<string> {
    const id = newUuid();
    await refuseTaken('project', project.name, this.#projects.insert(tx, { id, ...project }));
    await recordProject(tx, id, project.name);
    await appendStatus(
      tx,
      systemEvents,
      [{ ...event(id, 1, 'project.created'), from: null, to: 'ACTIVE' }],
      this.#wake,
    );
    return id;
  }

  update(context: RequestContext, input: ProjectUpdateInput): Promise<MutationOutcome<Project>> {
    const identity = caller(context);
    return this.#mutations.run({
      name: 'projectUpdate',
      context,
      input,
      subject: 'Project',
      prepare: ({ check }) => {
        requireAdmin(identity);
        const id = check.id('id', input.id, 'Project') ?? '';
        check.text('description', input.description, { multiline: true });
        return async (tx) => {
          const project = (await this.#projects.lock(tx, id)) ?? refuseUnknown('Project', 'id', input.id);
          refuseStale(input.expectedVersion, project);
          if (project.description !== input.description) {
            await this.#projects.describe(tx, id, input.description);
            const changed = event(id, project.version + 1, 'project.changed');
            const what = { from: 'ACTIVE', to: 'ACTIVE', reason: 'description' } as const;
            await appendStatus(tx, systemEvents, [{ ...changed, ...what }], this.#wake);
          }
          return id;
        };
      },
      read: (id) => this.#entities.project(context, id),
    });
  }

  delete(context: RequestContext, input: ProjectDeleteInput): Promise<MutationOutcome<string>> {
    const identity = caller(context);
    return this.#mutations.run({
      name: 'projectDelete',
      context,
      input,
      subject: 'Project',
      prepare: ({ check }) => {
        requireAdmin(identity);
        const id = check.id('id', input.id, 'Project') ?? '';
        const effect = (elsewhere: readonly string[]) => async (tx: Transaction) => {
          const project = (await this.#projects.lock(tx, id)) ?? refuseUnknown('Project', 'id', input.id);
          refuseStale(input.expectedVersion, project);
          // First: nothing more can be created in it.
          await forgetProject(tx, id);
          const held = [...(await this.#holdings(tx, id)), ...elsewhere];
          if (held.length > 0)
            refuse('IN_USE', `the project ${project.name} has ${held.join(', ')}: delete them first`, {
              field: ['input', 'id'],
            });
          await this.#tokenService.endAll(tx, context, id);
          await this.#ending?.end(tx, this.#wake, id);
          await this.#projects.delete(tx, id);
          const what = { from: 'ACTIVE', to: 'DELETED', subjectName: project.name, reason: project.name } as const;
          const deleted = { ...event(id, project.version + 1, 'project.deleted'), ...what };
          await appendStatus(tx, systemEvents, [deleted], this.#wake);
          return id;
        };
        const dependencies = { db: this.#db, wake: this.#wake };
        return { look: async () => effect((await this.#ending?.look(dependencies, id)) ?? []) };
      },
      read: async (id) => encodeId('Project', id),
    });
  }

  setMembership(context: RequestContext, input: MembershipSetInput): Promise<MutationOutcome<Membership>> {
    const identity = caller(context);
    return this.#mutations.run({
      ...{ name: 'membershipSet', context, input, subject: 'Project' },
      prepare: (attempt) =>
        this.#prepareMembership(attempt, identity, input, async (tx, project, user) => {
          await requireAdminNow(tx, this.#credentials, identity);
          attempt.setting = await this.#setRole(tx, project, user, input.role);
        }),
      read: async (projectId) => this.#projects.membership(projectId, decodeUuid('User', input.userId) ?? ''),
    });
  }

  /** It is not an error if the membership does not exist. */
  removeMembership(context: RequestContext, input: MembershipRemoveInput): Promise<MutationOutcome<Project>> {
    const identity = caller(context);
    return this.#mutations.run({
      ...{ name: 'membershipRemove', context, input, subject: 'Project' },
      prepare: (attempt) =>
        this.#prepareMembership(attempt, identity, input, async (tx, project, user) => {
          attempt.setting = await this.#setRole(tx, project, user, null);
          // Tokens of an administrator need no membership.
          if (!user.admin) await this.#tokenService.endOf(tx, context, project.id, user);
        }),
      read: (id) => this.#entities.project(context, id),
    });
  }

  #prepareMembership(
    { check }: Attempt,
    identity: Identity,
    input: MembershipRemoveInput,
    change: (tx: Transaction, project: Project, user: User) => Promise<void>,
  ): Effect {
    requireAdmin(identity);
    const projectId = check.id('projectId', input.projectId, 'Project') ?? '';
    const userId = check.id('userId', input.userId, 'User') ?? '';
    return async (tx) => {
      const project =
        (await this.#projects.lock(tx, projectId)) ?? refuseUnknown('Project', 'projectId', input.projectId);
      const user = (await this.#users.lock(tx, userId)) ?? refuseUnknown('User', 'userId', input.userId);
      await change(tx, project, user);
      return projectId;
    };
  }

  async #setRole(
    tx: Transaction,
    project: { id: string; version: number },
    user: { id: string; name: string },
    role: Role | null,
  ): Promise<Setting> {
    const before = (await this.#projects.roleOf(tx, project.id, user.id)) ?? null;
    const setting = {
      ...{ subject: 'Membership', id: settingId('Membership', project.id, user.id), projectId: project.id },
      ...{ isNew: before === null, isDefault: role === null },
    };
    if (before === role) return setting;
    if (before === null && (await this.#projects.countMemberships(tx, user.id)) >= mostMemberships)
      refuse(
        'INVALID_INPUT',
        `${user.name} is in ${mostMemberships} projects, the maximum: make the user an administrator`,
        {
          field: ['input', 'userId'],
        },
      );
    await this.#projects.setRole(tx, project.id, user.id, role);
    const changed = event(project.id, project.version + 1, 'membership.changed');
    const what = { from: before, to: role ?? 'NONE', reason: `user ${user.name}` } as const;
    await appendStatus(tx, systemEvents, [{ ...changed, ...what }], this.#wake);
    return setting;
  }
}

function event<Kind extends string>(id: string, version: number, kind: Kind) {
  return { projectId: id, kind, subjectId: id, subjectVersion: version };
}
