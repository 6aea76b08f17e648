// Creates and revokes access keys, for operators of the project. A secret is shown once. The control plane keeps it sealed, for clusters
// that are added later.
import { randomBytes } from 'node:crypto';
import type {
  ObjectAccessKeyCreateInput,
  ObjectAccessKeyRevokeInput,
} from '../../../../generated/graph/object-storage.ts';
import type { RequestContext } from '../../../../platform/caller/identity.ts';
import type { MutationOutcome } from '../../../../platform/edge/mutation.ts';
import { refuse } from '../../../../platform/errors/errors.ts';
import { appendStatus } from '../../../../platform/events/append.ts';
import { caller, oneProject, requireRole, visibleRow } from '../../../../platform/input/authorise.ts';
import type { SubgraphContext } from '../../../../platform/process/subgraph-row.ts';
import { newUuid } from '../../../../platform/values/ids.ts';
import { objectEvents } from '../events.ts';
import { needAccount } from '../stores/account-store.ts';
import { liveClusters } from '../stores/cluster-store.ts';
import { lockFederation } from '../stores/federation-store.ts';
import { endAccessKey } from './access-key-end.ts';
import {
  type AccessKeyRow,
  countWorking,
  insertAccessKey,
  lockAccessKey,
  newAccessKeyId,
  readAccessKeys,
  secretPlace,
  tellKey,
} from './access-key-store.ts';

type Outcome = MutationOutcome<AccessKeyRow>;

/** Per project. */
const mostWorking = 100;

export class AccessKeyService {
  readonly #dependencies: Pick<SubgraphContext, 'db' | 'wake' | 'mutations' | 'sealer'>;

  constructor(dependencies: Pick<SubgraphContext, 'db' | 'wake' | 'mutations' | 'sealer'>) {
    this.#dependencies = dependencies;
  }

  /** `secret` is null if the request is a repetition. */
  async create(
    context: RequestContext,
    input: ObjectAccessKeyCreateInput,
  ): Promise<Outcome & { readonly secret: string | null }> {
    const { db, wake, mutations } = this.#dependencies;
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
        const sealer = await this.#dependencies.sealer();
        return async (tx) => {
          await lockFederation(tx);
          const accountId = await needAccount(tx, wake, projectId);
          if ((await countWorking(tx, projectId)) >= mostWorking)
            refuse('LIMIT_REACHED', `the project has ${mostWorking} working access keys: revoke one first`);
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

  /** Revoking a revoked key is not an error and emits no second event. */
  revoke(context: RequestContext, input: ObjectAccessKeyRevokeInput): Promise<Outcome> {
    const { db, wake, mutations } = this.#dependencies;
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
          await endAccessKey(tx, wake, row);
          return row.id;
        };
      },
      read: async (id) => (await readAccessKeys(db, [id])).get(id),
    });
  }
}
