// Creates and revokes access keys: operators of the project. A secret is shown once; the centre keeps it sealed, for clusters that are added.
import { randomBytes } from 'node:crypto';
import type {
  ObjectAccessKeyCreateInput,
  ObjectAccessKeyRevokeInput,
} from '../../../generated/graph/object-storage.ts';
import { caller, oneProject, requireRole, visibleRow } from '../../../platform/authorise.ts';
import { refuse } from '../../../platform/errors.ts';
import { appendStatus } from '../../../platform/events/append.ts';
import type { RequestContext } from '../../../platform/identity.ts';
import { newUuid } from '../../../platform/ids.ts';
import type { MutationOutcome } from '../../../platform/mutation.ts';
import type { SubgraphGround } from '../../../platform/subgraph-row.ts';
import { objectEvents } from '../events.ts';
import {
  type AccessKeyRow,
  countWorking,
  insertAccessKey,
  lockAccessKey,
  newAccessKeyId,
  readAccessKeys,
  revokeAccessKey,
  secretPlace,
  tellKey,
  tellRevoked,
} from './access-key-store.ts';
import { needAccount } from './account-store.ts';
import { liveClusters } from './cluster-store.ts';
import { lockFederation } from './federation-store.ts';

type Outcome = MutationOutcome<AccessKeyRow>;

/** Of a project. */
const mostWorking = 100;

export class AccessKeyService {
  readonly #ground: Pick<SubgraphGround, 'db' | 'wake' | 'mutations' | 'sealer'>;

  constructor(ground: Pick<SubgraphGround, 'db' | 'wake' | 'mutations' | 'sealer'>) {
    this.#ground = ground;
  }

  /** `secret` is null when the request was repeated. */
  async create(
    context: RequestContext,
    input: ObjectAccessKeyCreateInput,
  ): Promise<Outcome & { readonly secret: string | null }> {
    const { db, wake, mutations } = this.#ground;
    let secret: string | null = null;
    const outcome = await mutations.run({
      ...{ name: 'objectAccessKeyCreate', context, input, subject: 'ObjectAccessKey' },
      prepare: async (attempt) => {
        const { check } = attempt;
        caller(context);
        check.text('name', input.name, { required: true, min: 1, max: 63 });
        const projectId = oneProject(context.identity, input.projectId);
        attempt.projectId = projectId;
        requireRole(context.identity, projectId, 'OPERATOR', 'objectAccessKeyCreate');
        check.throwIfAny();
        const sealer = await this.#ground.sealer();
        return async (tx) => {
          await lockFederation(tx);
          const accountId = await needAccount(tx, wake, projectId);
          if ((await countWorking(tx, projectId)) >= mostWorking)
            refuse('LIMIT_REACHED', `the project has ${mostWorking} access keys that work: revoke one first`);
          const made = randomBytes(30).toString('base64url');
          const row = {
            ...{ id: newUuid(), projectId, accountId, name: input.name, canWrite: input.canWrite ?? true },
            ...{ accessKeyId: newAccessKeyId(), forUrls: false },
          };
          await insertAccessKey(tx, row, sealer.seal(made, secretPlace(row.id)));
          await tellKey(tx, wake, row, made, await liveClusters(tx));
          const subject = { projectId, subjectId: row.id, subjectVersion: 1, reason: row.name };
          const event = { ...subject, kind: 'objectAccessKey.state', from: null, to: 'WORKING' } as const;
          await appendStatus(tx, objectEvents, [event], wake);
          secret = made;
          return row.id;
        };
      },
      read: async (id) => (await readAccessKeys(db, [id])).get(id),
    });
    return { ...outcome, secret: outcome.commit === null || outcome.replayed ? null : secret };
  }

  /** Revoking twice is no error, and makes no second event. */
  revoke(context: RequestContext, input: ObjectAccessKeyRevokeInput): Promise<Outcome> {
    const { db, wake, mutations } = this.#ground;
    return mutations.run({
      ...{ name: 'objectAccessKeyRevoke', context, input, subject: 'ObjectAccessKey' },
      prepare: async (attempt) => {
        caller(context);
        const named = { type: 'ObjectAccessKey', id: input.id };
        const found = await visibleRow(context.identity, attempt.check, named, async (uuid) =>
          (await readAccessKeys(db, [uuid])).get(uuid),
        );
        attempt.projectId = found.projectId;
        requireRole(context.identity, found.projectId, 'OPERATOR', 'objectAccessKeyRevoke');
        return async (tx) => {
          await lockFederation(tx);
          const row = await lockAccessKey(tx, found.id);
          if (row === undefined || row.revokedAt !== null) return found.id;
          await revokeAccessKey(tx, row.id);
          await tellRevoked(tx, wake, row);
          const subject = { projectId: row.projectId, subjectId: row.id, subjectVersion: row.version + 1 };
          const event = { ...subject, kind: 'objectAccessKey.state', from: 'WORKING', to: 'REVOKED' } as const;
          await appendStatus(tx, objectEvents, [event], wake);
          return row.id;
        };
      },
      read: async (id) => (await readAccessKeys(db, [id])).get(id),
    });
  }
}
