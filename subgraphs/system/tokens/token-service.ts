// Making and revoking API tokens.
import type { ApiTokenCreateInput, ApiTokenRevokeInput } from '../../../generated/graph/system.ts';
import { caller, maySee, requireRole, visibleRow } from '../../../platform/authorise.ts';
import type { Transaction } from '../../../platform/database/database.ts';
import { refuse } from '../../../platform/errors.ts';
import { appendStatus } from '../../../platform/events/append.ts';
import { allows, type Identity, type RequestContext, type Role } from '../../../platform/identity.ts';
import { newUuid } from '../../../platform/ids.ts';
import type { Attempt, MutationOutcome, Mutations } from '../../../platform/mutation.ts';
import { refuseUnknown } from '../../../platform/refusals.ts';
import type { Wake } from '../../../platform/wake.ts';
import { newApiToken } from '../access/secrets.ts';
import type { Entities } from '../entities.ts';
import { systemEvents } from '../events.ts';
import type { ProjectStore } from '../projects/project-store.ts';
import type { ApiToken } from './api-token.ts';
import type { TokenStore } from './token-store.ts';

export interface TokenServiceOptions {
  readonly tokens: TokenStore;
  readonly projects: ProjectStore;
  readonly entities: Entities;
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
  readonly #entities: Entities;
  readonly #mutations: Mutations;
  readonly #wake: Wake;

  constructor(options: TokenServiceOptions) {
    this.#tokens = options.tokens;
    this.#projects = options.projects;
    this.#entities = options.entities;
    this.#mutations = options.mutations;
    this.#wake = options.wake;
  }

  /** `secret` is null when the request was a repetition: the secret is not kept anywhere. */
  async create(
    context: RequestContext,
    input: ApiTokenCreateInput,
  ): Promise<MutationOutcome<ApiToken> & { readonly secret: string | null }> {
    const identity = caller(context);
    let secret: string | null = null;
    const outcome = await this.#mutations.run({
      name: 'apiTokenCreate',
      context,
      input,
      subject: 'ApiToken',
      prepare: (attempt) => {
        const projectId = checkCreate(attempt, identity, input);
        return async (tx) => {
          // A repetition may come later than that.
          if (input.expiresAt != null && input.expiresAt.getTime() <= Date.now())
            refuse(
              'INVALID_INPUT',
              `expiresAt is ${input.expiresAt.toISOString()}, which is over; give a time to come`,
              {
                field: ['input', 'expiresAt'],
              },
            );
          // Locked, so that the project can't go while its token is made.
          if ((await this.#projects.lock(tx, projectId)) === undefined)
            refuseUnknown('Project', 'projectId', input.projectId);
          const { name, role, expiresAt = null } = input;
          const token = await this.insert(tx, { projectId, name, role, expiresAt, createdBy: identity.id });
          secret = token.secret;
          return token.id;
        };
      },
      read: (id) => this.#entities.apiToken(context, id),
    });
    return { ...outcome, secret: outcome.commit === null || outcome.replayed ? null : secret };
  }

  /** Makes a token in the caller's transaction. */
  async insert(tx: Transaction, wish: TokenWish): Promise<{ id: string; secret: string }> {
    const id = newUuid();
    const { secret, hash, prefix } = newApiToken();
    await this.#tokens.insert(tx, { id, ...wish, hash, prefix });
    const made = {
      ...event(id, wish.projectId, 1, 'apiToken.created'),
      from: null,
      to: 'ACTIVE',
      reason: wish.name,
    } as const;
    await appendStatus(tx, systemEvents, [made], this.#wake);
    return { id, secret };
  }

  /** Revoking twice is not an error, and no second event. */
  revoke(context: RequestContext, input: ApiTokenRevokeInput): Promise<MutationOutcome<ApiToken>> {
    const identity = caller(context);
    return this.#mutations.run({
      name: 'apiTokenRevoke',
      context,
      input,
      subject: 'ApiToken',
      prepare: async (attempt) => {
        const named = { type: 'ApiToken', id: input.id };
        const read = async (uuid: string) => (await this.#tokens.byIds([uuid])).get(uuid);
        const { id, projectId } = await visibleRow(identity, attempt.check, named, read);
        attempt.projectId = projectId;
        requireRole(identity, projectId, 'OPERATOR', 'apiTokenRevoke');
        return async (tx) => {
          const token = (await this.#tokens.lock(tx, id)) ?? refuseUnknown('ApiToken', 'id', input.id);
          if (token.revokedAt === null) {
            await this.#tokens.revoke(tx, id);
            const revoked = event(id, projectId, token.version + 1, 'apiToken.revoked');
            await appendStatus(
              tx,
              systemEvents,
              [{ ...revoked, from: 'ACTIVE', to: 'REVOKED', reason: token.name }],
              this.#wake,
            );
          }
          return id;
        };
      },
      read: (id) => this.#entities.apiToken(context, id),
    });
  }
}

/** Returns the project's UUID. */
function checkCreate(attempt: Attempt, identity: Identity, input: ApiTokenCreateInput): string {
  const { check } = attempt;
  const projectId = check.id('projectId', input.projectId, 'Project') ?? '';
  const wants = 'a name without a space at either end';
  check.text('name', input.name, { required: true, min: 1, max: 63, pattern: /^\S(.*\S)?$/u, wants });
  check.throwIfAny();
  if (!maySee(identity, projectId)) refuseUnknown('Project', 'projectId', input.projectId);
  attempt.projectId = projectId;
  requireRole(identity, projectId, 'OPERATOR', 'apiTokenCreate');
  if (!allows(identity, projectId, input.role))
    refuse('FORBIDDEN', `you may not give the role ${input.role}: it is above yours`, { field: ['input', 'role'] });
  return projectId;
}

function event<Kind extends string>(id: string, projectId: string, version: number, kind: Kind) {
  return { projectId, kind, subjectId: id, subjectVersion: version };
}
