// Making and revoking API tokens.
import type { ApiTokenCreateInput, ApiTokenRevokeInput } from '../../../generated/graph/system.ts';
import type { Transaction } from '../../../platform/database/database.ts';
import { refuse } from '../../../platform/errors.ts';
import { appendStatus } from '../../../platform/events/append.ts';
import { allows, type Identity, type RequestContext, type Role } from '../../../platform/identity.ts';
import { decodeUuid, newUuid } from '../../../platform/ids.ts';
import { InputCheck } from '../../../platform/input.ts';
import type { MutationOutcome, Mutations } from '../../../platform/mutation.ts';
import type { Wake } from '../../../platform/wake.ts';
import { caller, maySee } from '../access/authorise.ts';
import { newApiToken } from '../access/secrets.ts';
import { refuseUnknown } from '../mutation-checks.ts';
import type { ProjectStore } from '../projects/project-store.ts';
import type { TokenStore } from './token-store.ts';

export interface TokenServiceOptions {
  readonly tokens: TokenStore;
  readonly projects: ProjectStore;
  readonly mutations: Mutations;
  readonly wake: Wake;
}

export interface TokenWish {
  /** UUID. */
  readonly projectId: string;
  readonly name: string;
  readonly role: Role;
  readonly expiresAt: Date | null;
  /** UUID of who makes it. */
  readonly createdBy: string;
}

export class TokenService {
  readonly #tokens: TokenStore;
  readonly #projects: ProjectStore;
  readonly #mutations: Mutations;
  readonly #wake: Wake;

  constructor(options: TokenServiceOptions) {
    this.#tokens = options.tokens;
    this.#projects = options.projects;
    this.#mutations = options.mutations;
    this.#wake = options.wake;
  }

  /** `secret` is null when the request was a repetition: the secret is not kept anywhere. */
  async create(
    context: RequestContext,
    input: ApiTokenCreateInput,
  ): Promise<MutationOutcome<{ id: string }> & { readonly secret: string | null }> {
    const identity = caller(context);
    let secret: string | null = null;
    const outcome = await this.#mutations.run({
      name: 'apiTokenCreate',
      context,
      input,
      projectId: visibleProject(identity, input.projectId),
      effect: async (tx) => {
        const projectId = checkCreate(identity, input);
        // Locked, so that the project can't go while its token is made.
        if ((await this.#projects.lock(tx, projectId)) === undefined)
          refuseUnknown('Project', 'projectId', input.projectId);
        const { name, role, expiresAt = null } = input;
        const token = await this.insert(tx, { projectId, name, role, expiresAt, createdBy: identity.id });
        secret = token.secret;
        return { result: { id: token.id }, subject: { type: 'ApiToken', id: token.id } };
      },
    });
    return { ...outcome, secret: outcome.result === null || outcome.replayed ? null : secret };
  }

  /** Makes a token in the caller's transaction. */
  async insert(tx: Transaction, wish: TokenWish): Promise<{ id: string; secret: string }> {
    const id = newUuid();
    const { secret, hash, prefix } = newApiToken();
    await this.#tokens.insert(tx, { id, ...wish, hash, prefix });
    const made = { ...event(id, wish.projectId, 1, 'apiToken.created'), from: null, to: 'ACTIVE', reason: wish.name };
    await appendStatus(tx, [made], this.#wake);
    return { id, secret };
  }

  async revoke(context: RequestContext, input: ApiTokenRevokeInput): Promise<MutationOutcome<{ id: string }>> {
    const identity = caller(context);
    const known = decodeUuid('ApiToken', input.id);
    const token = known === undefined ? undefined : (await this.#tokens.byIds([known])).get(known);
    return this.#mutations.run({
      name: 'apiTokenRevoke',
      context,
      input,
      projectId: token !== undefined && maySee(identity, token.projectId) ? token.projectId : null,
      effect: async (tx) => {
        const check = new InputCheck();
        check.idempotencyKey(input.idempotencyKey);
        const id = check.id('id', input.id, 'ApiToken') ?? '';
        check.throwIfAny();
        await this.#revoke(tx, identity, id, input.id);
        return { result: { id }, subject: { type: 'ApiToken', id } };
      },
    });
  }

  /** Revoking twice is no error, and no second event. */
  async #revoke(tx: Transaction, identity: Identity, id: string, globalId: string): Promise<void> {
    const token = await this.#tokens.lock(tx, id);
    if (token === undefined || !maySee(identity, token.projectId)) refuseUnknown('ApiToken', 'id', globalId);
    refuseUnlessOperator(identity, token.projectId);
    if (token.revokedAt !== null) return;
    await this.#tokens.revoke(tx, id);
    const revoked = event(id, token.projectId, token.version + 1, 'apiToken.revoked');
    await appendStatus(tx, [{ ...revoked, from: 'ACTIVE', to: 'REVOKED', reason: token.name }], this.#wake);
  }
}

/** Returns the project's UUID. */
function checkCreate(identity: Identity, input: ApiTokenCreateInput): string {
  const check = new InputCheck();
  check.idempotencyKey(input.idempotencyKey);
  const projectId = check.id('projectId', input.projectId, 'Project') ?? '';
  const wants = 'a name without a space at either end';
  check.text('name', input.name, { required: true, min: 1, max: 63, pattern: /^\S(.*\S)?$/u, wants });
  if (input.expiresAt != null && input.expiresAt.getTime() <= Date.now())
    check.fault('expiresAt', `expiresAt is ${input.expiresAt.toISOString()}, which is over; give a time to come`);
  check.throwIfAny();
  if (!maySee(identity, projectId)) refuseUnknown('Project', 'projectId', input.projectId);
  refuseUnlessOperator(identity, projectId);
  if (!allows(identity, projectId, input.role))
    refuse('FORBIDDEN', `you may not give the role ${input.role}: it is above yours`, { field: ['input', 'role'] });
  return projectId;
}

function refuseUnlessOperator(identity: Identity, projectId: string): void {
  if (!allows(identity, projectId, 'OPERATOR')) refuse('FORBIDDEN', "only the project's operators may do this");
}

function visibleProject(identity: Identity, globalId: string): string | null {
  const id = decodeUuid('Project', globalId);
  return id !== undefined && maySee(identity, id) ? id : null;
}

function event(id: string, projectId: string, version: number, kind: string) {
  return { projectId, kind, subjectType: 'ApiToken', subjectId: id, subjectVersion: version };
}
