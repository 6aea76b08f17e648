// Creating and revoking API tokens. A token that creates another is its parent: the child never outlives it, and is revoked with
// it. The rights of the user at the root of such a tree limit its tokens (credential-store.ts), and the tokens end with the
// membership. Creating and revoking locks the project, so that no token is made below one that is being revoked.
import type { ApiTokenCreateInput, ApiTokenRevokeInput } from '../../../../generated/graph/system.ts';
import { auditAll } from '../../../../platform/audit/audit.ts';
import { allows, type Identity, type RequestContext, type Role } from '../../../../platform/caller/identity.ts';
import type { Transaction } from '../../../../platform/database/database.ts';
import type { Attempt, MutationOutcome, Mutations } from '../../../../platform/edge/mutation.ts';
import { refuse } from '../../../../platform/errors/errors.ts';
import { appendStatus } from '../../../../platform/events/append.ts';
import { caller, maySee, requireRole, visibleRow } from '../../../../platform/input/authorise.ts';
import { refuseUnknown } from '../../../../platform/input/refusals.ts';
import { newUuid } from '../../../../platform/values/ids.ts';
import type { Wake } from '../../../../platform/work/wake.ts';
import type { CredentialStore } from '../access/credential-store.ts';
import { newApiToken } from '../access/secrets.ts';
import type { Entities } from '../entities.ts';
import { systemEvents } from '../events.ts';
import type { ApiToken } from '../stores/api-token.ts';
import type { ProjectStore } from '../stores/project-store.ts';
import type { TokenMaker, TokenStore, WorkingToken } from '../stores/token-store.ts';

/** Valid tokens per project: a caller who can create tokens must not fill the disk with them. */
const mostWorking = 1_000;
/** Limit including revoked and expired tokens. */
const mostTokens = 11_000;

interface TokenServiceOptions {
  readonly tokens: TokenStore;
  readonly projects: ProjectStore;
  readonly credentials: CredentialStore;
  readonly entities: Entities;
  readonly mutations: Mutations;
  readonly wake: Wake;
}

interface TokenWish {
  /** UUID. */
  readonly projectId: string;
  readonly name: string;
  readonly role: Role;
  readonly expiresAt: Date | null;
  /** Hashes of the only operations that it may send. Null for all. */
  readonly operationHashes: readonly string[] | null;
  readonly maker: TokenMaker;
}

export class TokenService {
  readonly #tokens: TokenStore;
  readonly #projects: ProjectStore;
  readonly #credentials: CredentialStore;
  readonly #entities: Entities;
  readonly #mutations: Mutations;
  readonly #wake: Wake;

  constructor(options: TokenServiceOptions) {
    this.#tokens = options.tokens;
    this.#projects = options.projects;
    this.#credentials = options.credentials;
    this.#entities = options.entities;
    this.#mutations = options.mutations;
    this.#wake = options.wake;
  }

  /** `secret` is null when the request was repeated: the secret is not stored. */
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
          // A repetition may come after that time.
          if (input.expiresAt != null && input.expiresAt.getTime() <= Date.now())
            refuse(
              'INVALID_INPUT',
              `expiresAt is ${input.expiresAt.toISOString()}, which is in the past; give a future time`,
              {
                field: ['input', 'expiresAt'],
              },
            );
          if ((await this.#projects.lock(tx, projectId)) === undefined)
            refuseUnknown('Project', 'projectId', input.projectId);
          const { maker, operationHashes } = await this.#maker(tx, identity, projectId, input);
          const { name, role, expiresAt = null } = input;
          const token = await this.insert(tx, { projectId, name, role, expiresAt, operationHashes, maker });
          secret = token.secret;
          return token.id;
        };
      },
      read: (id) => this.#entities.apiToken(context, id),
    });
    return { ...outcome, secret: outcome.commit === null || outcome.replayed ? null : secret };
  }

  /** The caller's current identity: the gateway caches a credential's answer for a second, in which it may have ended. */
  async #maker(
    tx: Transaction,
    identity: Identity,
    projectId: string,
    input: ApiTokenCreateInput,
  ): Promise<Pick<TokenWish, 'maker' | 'operationHashes'>> {
    const now = (await this.#credentials.recheck(identity, tx)) ?? null;
    requireRole(now, projectId, 'OPERATOR', 'apiTokenCreate');
    requireRight(now, projectId, input);
    const { id, name } = identity;
    const wanted = input.operationHashes ?? null;
    if (identity.kind === 'user') return { maker: { id, name, userId: id, parentId: null }, operationHashes: wanted };
    const parent = await this.#tokens.parent(tx, id);
    if (parent === undefined) refuse('FORBIDDEN', `the API token ${name} has ended and can no longer create others`);
    const { expiresAt } = parent;
    if (expiresAt !== null && (input.expiresAt == null || input.expiresAt > expiresAt)) {
      const end = expiresAt.toISOString();
      const asked = input.expiresAt == null ? 'missing' : input.expiresAt.toISOString();
      refuse('INVALID_INPUT', `expiresAt is ${asked}: the API token ${name}, which asks, ends at ${end}`, {
        field: ['input', 'expiresAt'],
      });
    }
    const beyond =
      parent.operationHashes === null
        ? undefined
        : wanted?.find((hash) => parent.operationHashes?.includes(hash) === false);
    if (beyond !== undefined)
      refuse('FORBIDDEN', `the API token ${name}, which asks, is not bound to the operation ${beyond}`, {
        field: ['input', 'operationHashes'],
      });
    return {
      maker: { id, name, userId: parent.userId, parentId: id },
      operationHashes: wanted ?? parent.operationHashes,
    };
  }

  /** Creates a token in the caller's transaction. */
  async insert(tx: Transaction, wish: TokenWish): Promise<{ id: string; secret: string }> {
    if ((await this.#tokens.countWorking(tx, wish.projectId)) >= mostWorking)
      refuse('INVALID_INPUT', `the project has ${mostWorking} working API tokens, the most: revoke those not needed`, {
        field: ['input', 'projectId'],
      });
    await this.#tokens.forgetEnded(tx, wish.projectId, mostTokens);
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

  /** Revoking twice is not an error and makes no second event. */
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
          if ((await this.#projects.lock(tx, projectId)) === undefined) refuseUnknown('ApiToken', 'id', input.id);
          const token = await this.#tokens.unrevoked(tx, id);
          if (token === undefined) return id;
          const below = treeBelow(id, await this.#tokens.working(tx, projectId));
          await this.#end(tx, projectId, [token, ...below]);
          await this.#auditEnds(tx, context, projectId, below, { madeWith: input.id });
          return id;
        };
      },
      read: (id) => this.#entities.apiToken(context, id),
    });
  }

  /** Revokes all tokens of a project with this user at their root; the project must be locked. */
  async endOf(
    tx: Transaction,
    context: RequestContext,
    projectId: string,
    user: { readonly id: string; readonly name: string },
  ): Promise<void> {
    const ended = (await this.#tokens.working(tx, projectId)).filter(({ userId }) => userId === user.id);
    await this.#end(tx, projectId, ended);
    await this.#auditEnds(tx, context, projectId, ended, { membershipOf: user.name });
  }

  /** Revokes all tokens of a project that is deleted; it must be locked. */
  async endAll(tx: Transaction, context: RequestContext, projectId: string): Promise<void> {
    const ended = await this.#tokens.working(tx, projectId);
    await this.#end(tx, projectId, ended);
    await this.#auditEnds(tx, context, projectId, ended, { projectDeleted: true });
  }

  async #end(tx: Transaction, projectId: string, tokens: readonly WorkingToken[]): Promise<void> {
    if (tokens.length === 0) return;
    await this.#tokens.revoke(
      tx,
      tokens.map(({ id }) => id),
    );
    const events = tokens.map(({ id, version, name }) => {
      const revoked = event(id, projectId, version + 1, 'apiToken.revoked');
      return { ...revoked, from: 'ACTIVE', to: 'REVOKED', reason: name } as const;
    });
    await appendStatus(tx, systemEvents, events, this.#wake);
  }

  /** The audit entry of the request names at most one subject. These tokens ended together with it. */
  async #auditEnds(
    tx: Transaction,
    { identity, requestId, callerRequestId }: RequestContext,
    projectId: string,
    tokens: readonly WorkingToken[],
    details: object,
  ): Promise<void> {
    const asked = { identity, requestId, callerRequestId, details };
    const shared = { ...asked, action: 'apiTokenRevoke', projectId, outcome: 'ACCEPTED' } as const;
    await auditAll(
      tx,
      tokens.map(({ id }) => ({ ...shared, subjectType: 'ApiToken', subjectId: id })),
    );
  }
}

/** All tokens made with a token, directly or indirectly. */
function treeBelow(root: string, tokens: readonly WorkingToken[]): readonly WorkingToken[] {
  const children = Map.groupBy(tokens, ({ parentId }) => parentId);
  const below: WorkingToken[] = [];
  const next = [root];
  for (let id = next.pop(); id !== undefined; id = next.pop())
    for (const child of children.get(id) ?? []) {
      below.push(child);
      next.push(child.id);
    }
  return below;
}

/** Returns the project's UUID. */
function checkCreate(attempt: Attempt, identity: Identity, input: ApiTokenCreateInput): string {
  const { check } = attempt;
  const projectId = check.id('projectId', input.projectId, 'Project') ?? '';
  const wants = 'a name without leading or trailing spaces';
  check.text('name', input.name, { required: true, min: 1, max: 63, pattern: /^\S(.*\S)?$/u, wants });
  const { operationHashes } = input;
  const hashRule = { pattern: /^[0-9a-f]{64}$/, wants: 'a SHA-256 sum in lower-case hexadecimal' };
  if (operationHashes != null)
    check.list('operationHashes', operationHashes, { min: 1, max: 100 }, (hash, field) =>
      check.text(field, hash, hashRule),
    );
  check.throwIfAny();
  if (!maySee(identity, projectId)) refuseUnknown('Project', 'projectId', input.projectId);
  attempt.projectId = projectId;
  requireRole(identity, projectId, 'OPERATOR', 'apiTokenCreate');
  requireRight(identity, projectId, input);
  return projectId;
}

function requireRight(identity: Identity | null, projectId: string, { role }: ApiTokenCreateInput): void {
  if (!allows(identity, projectId, role))
    refuse('FORBIDDEN', `you may not grant the role ${role}, which is above your own`, { field: ['input', 'role'] });
}

function event<Kind extends string>(id: string, projectId: string, version: number, kind: Kind) {
  return { projectId, kind, subjectId: id, subjectVersion: version };
}
