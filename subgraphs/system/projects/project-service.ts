// Changes of projects and memberships.

import type { MembershipSetInput, ProjectCreateInput, ProjectUpdateInput } from '../../../generated/graph/system.ts';
import type { Transaction } from '../../../platform/database/database.ts';
import { refuse } from '../../../platform/errors.ts';
import { appendStatus } from '../../../platform/events/append.ts';
import type { RequestContext, Role } from '../../../platform/identity.ts';
import { newUuid } from '../../../platform/ids.ts';
import { InputCheck } from '../../../platform/input.ts';
import type { MutationOutcome, Mutations } from '../../../platform/mutation.ts';
import type { Wake } from '../../../platform/wake.ts';
import { caller, refuseUnlessAdmin } from '../access/authorise.ts';
import { refuseStale, refuseTaken, refuseUnknown } from '../mutation-checks.ts';
import type { UserStore } from '../users/user-store.ts';
import type { ProjectStore } from './project-store.ts';

/** An identity travels in one HTTP header, which holds about 16 KiB. Who needs more projects is an administrator. */
const mostMemberships = 200;

export interface ProjectServiceOptions {
  readonly projects: ProjectStore;
  readonly users: UserStore;
  readonly mutations: Mutations;
  readonly wake: Wake;
}

export class ProjectService {
  readonly #projects: ProjectStore;
  readonly #users: UserStore;
  readonly #mutations: Mutations;
  readonly #wake: Wake;

  constructor(options: ProjectServiceOptions) {
    this.#projects = options.projects;
    this.#users = options.users;
    this.#mutations = options.mutations;
    this.#wake = options.wake;
  }

  create(context: RequestContext, input: ProjectCreateInput): Promise<MutationOutcome<{ id: string }>> {
    const identity = caller(context);
    return this.#mutations.run({
      name: 'projectCreate',
      context,
      input,
      projectId: null,
      effect: async (tx) => {
        refuseUnlessAdmin(identity);
        const check = new InputCheck();
        check.idempotencyKey(input.idempotencyKey);
        check.name('name', input.name);
        check.text('description', input.description, { multiline: true });
        check.throwIfAny();
        const id = await this.insert(tx, { name: input.name, description: input.description ?? '' });
        return { result: { id }, subject: { type: 'Project', id } };
      },
    });
  }

  /** Makes a project in the caller's transaction; returns its UUID. */
  async insert(tx: Transaction, project: { name: string; description: string }): Promise<string> {
    const id = newUuid();
    await refuseTaken('project', project.name, this.#projects.insert(tx, { id, ...project }));
    await appendStatus(tx, [{ ...event(id, 1, 'project.created'), from: null, to: 'ACTIVE' }], this.#wake);
    return id;
  }

  update(context: RequestContext, input: ProjectUpdateInput): Promise<MutationOutcome<{ id: string }>> {
    const identity = caller(context);
    return this.#mutations.run({
      name: 'projectUpdate',
      context,
      input,
      projectId: null,
      effect: async (tx) => {
        refuseUnlessAdmin(identity);
        const check = new InputCheck();
        check.idempotencyKey(input.idempotencyKey);
        const id = check.id('id', input.id, 'Project') ?? '';
        check.text('description', input.description, { multiline: true });
        check.throwIfAny();
        const project = (await this.#projects.lock(tx, id)) ?? refuseUnknown('Project', 'id', input.id);
        refuseStale(input.expectedVersion, project.version);
        if (project.description !== input.description) {
          await this.#projects.describe(tx, id, input.description);
          const changed = event(id, project.version + 1, 'project.changed');
          const what = { from: 'ACTIVE', to: 'ACTIVE', reason: 'description' };
          await appendStatus(tx, [{ ...changed, ...what }], this.#wake);
        }
        return { result: { id }, subject: { type: 'Project', id } };
      },
    });
  }

  setMembership(
    context: RequestContext,
    input: MembershipSetInput,
  ): Promise<MutationOutcome<{ projectId: string; userId: string }>> {
    const identity = caller(context);
    return this.#mutations.run({
      name: 'membershipSet',
      context,
      input,
      projectId: null,
      effect: async (tx) => {
        refuseUnlessAdmin(identity);
        const check = new InputCheck();
        check.idempotencyKey(input.idempotencyKey);
        const projectId = check.id('projectId', input.projectId, 'Project') ?? '';
        const userId = check.id('userId', input.userId, 'User') ?? '';
        check.throwIfAny();
        const project =
          (await this.#projects.lock(tx, projectId)) ?? refuseUnknown('Project', 'projectId', input.projectId);
        const user = (await this.#users.lock(tx, userId)) ?? refuseUnknown('User', 'userId', input.userId);
        await this.#setRole(tx, project, user, input.role ?? null);
        return { result: { projectId, userId }, subject: { type: 'Project', id: projectId } };
      },
    });
  }

  async #setRole(
    tx: Transaction,
    project: { id: string; version: number },
    user: { id: string; name: string },
    role: Role | null,
  ): Promise<void> {
    const before = (await this.#projects.roleOf(tx, project.id, user.id)) ?? null;
    if (before === role) return;
    if (before === null && (await this.#projects.countMemberships(tx, user.id)) >= mostMemberships)
      refuse(
        'INVALID_INPUT',
        `${user.name} is in ${mostMemberships} projects, the most: make an administrator of the user`,
        {
          field: ['input', 'userId'],
        },
      );
    await this.#projects.setRole(tx, project.id, user.id, role);
    const changed = event(project.id, project.version + 1, 'membership.changed');
    const what = { from: before, to: role ?? 'NONE', reason: `user ${user.name}` };
    await appendStatus(tx, [{ ...changed, ...what }], this.#wake);
  }
}

function event(id: string, version: number, kind: string) {
  return { projectId: id, kind, subjectType: 'Project', subjectId: id, subjectVersion: version };
}
