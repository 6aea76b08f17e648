// Creates and deletes containers: operators of the project. A cluster does it, and what it did is recorded here, with the CMP object for which it
// was done. Whatever is lost in between, the same request again ends it: its id is that of the container.
import { createHash } from 'node:crypto';
import type {
  ObjectContainerCreateInput,
  ObjectContainerDeleteInput,
} from '../../../generated/graph/object-storage.ts';
import { caller, maySee, oneProject, requireRole } from '../../../platform/authorise.ts';
import { refuse } from '../../../platform/errors.ts';
import { checkCmpObject, cmpObjectOf } from '../../../platform/graph/cmp-object.ts';
import type { RequestContext } from '../../../platform/identity.ts';
import { newUuid } from '../../../platform/ids.ts';
import type { MutationOutcome } from '../../../platform/mutation.ts';
import { refuseDeletedProject } from '../../../platform/projects.ts';
import { refuseUnknown } from '../../../platform/refusals.ts';
import type { SubgraphGround } from '../../../platform/subgraph-row.ts';
import type { ClusterQuestion } from '../wire/cluster-questions.ts';
import { accountsOf, needAccount } from './account-store.ts';
import { type Asked, type ClusterQuestions, NoAnswerError, RefusedByCluster } from './cluster-questions.ts';
import { decodeContainer } from './container-reads.ts';
import {
  type ContainerRow,
  containerId,
  containerNamed,
  containerRow,
  readContainers,
  recordContainer,
  recordDeleted,
} from './container-store.ts';
import { lockFederation } from './federation-store.ts';
import { liveOptions } from './option-store.ts';

type Outcome = Promise<MutationOutcome<ContainerRow>>;

const atName = { field: ['input', 'name'] };
const atId = { field: ['input', 'id'] };

export class ContainerService {
  readonly #ground: Pick<SubgraphGround, 'db' | 'wake' | 'mutations'>;
  readonly #clusters: ClusterQuestions;

  constructor(ground: Pick<SubgraphGround, 'db' | 'wake' | 'mutations'>, clusters: ClusterQuestions) {
    this.#ground = ground;
    this.#clusters = clusters;
  }

  create(context: RequestContext, input: ObjectContainerCreateInput): Outcome {
    const { db, wake } = this.#ground;
    return this.#ground.mutations.run({
      ...{ name: 'objectContainerCreate', context, input, subject: 'ObjectContainer' },
      prepare: (attempt) => {
        const { check } = attempt;
        caller(context);
        check.text('name', input.name, { required: true, min: 3, max: 63 });
        check.text('option', input.option, { min: 1, max: 63 });
        const cmp = input.cmpObject == null ? null : cmpObjectOf(input.cmpObject);
        if (cmp !== null) checkCmpObject(check, 'cmpObject', cmp);
        const projectId = oneProject(context.identity, input.projectId);
        attempt.projectId = projectId;
        requireRole(context.identity, projectId, 'OPERATOR', 'objectContainerCreate');
        check.throwIfAny();
        const look = async () => {
          await this.#refuseUnknownOption(input.option);
          const accountId = await db.transaction(async (tx) => {
            await lockFederation(tx);
            return needAccount(tx, wake, projectId);
          });
          const account = containerId(accountId);
          const { containers } = await this.#ask({
            ...{ ask: 'createContainer', account, name: input.name, option: input.option ?? null },
            id: idOf(account, input.idempotencyKey),
          });
          const made = containerRow({ projectId, accountId }, containers[0] ?? refuseUnreadable());
          return async (tx: Parameters<typeof recordContainer>[0]) => {
            await refuseDeletedProject(tx, projectId);
            await recordContainer(tx, made, cmp);
            return made.id;
          };
        };
        return { look };
      },
      read: async (id) => (await readContainers(db, [id])).get(id),
    });
  }

  delete(context: RequestContext, input: ObjectContainerDeleteInput): Outcome {
    const { db } = this.#ground;
    return this.#ground.mutations.run({
      ...{ name: 'objectContainerDelete', context, input, subject: 'ObjectContainer' },
      prepare: async (attempt) => {
        caller(context);
        const named = decodeContainer(input.id);
        if (named === undefined || !maySee(context.identity, named.projectId))
          refuseUnknown('ObjectContainer', 'id', input.id);
        const { projectId, name } = named;
        attempt.projectId = projectId;
        requireRole(context.identity, projectId, 'OPERATOR', 'objectContainerDelete');
        const look = async () => {
          const accountId = (await accountsOf(db, [projectId])).get(projectId)?.id;
          if (accountId === undefined) refuseUnknown('ObjectContainer', 'id', input.id);
          const account = containerId(accountId);
          const found = (await this.#ask({ ask: 'containersNamed', account, names: [name] })).containers[0];
          const gone =
            found === undefined
              ? await containerNamed(db, accountId, name)
              : containerRow({ projectId, accountId }, found);
          if (gone === undefined) refuseUnknown('ObjectContainer', 'id', input.id);
          if (found !== undefined) await this.#ask({ ask: 'deleteContainer', account, name, id: found.id });
          return async (tx: Parameters<typeof recordDeleted>[0]) => {
            await recordDeleted(tx, gone);
            return gone.id;
          };
        };
        return { look };
      },
      read: async (id) => (await readContainers(db, [id])).get(id),
    });
  }

  /** A cluster that does not know it yet is another matter. */
  async #refuseUnknownOption(name: string | null | undefined): Promise<void> {
    const options = await liveOptions(this.#ground.db);
    const option =
      name == null ? options.find(({ isDefault }) => isDefault) : options.find((each) => each.name === name);
    if (option !== undefined) return;
    const wrong = name == null ? 'no option is the default' : `there is no option ${name}`;
    refuse('NOT_FOUND', `${wrong}: name one of objectOptions`, { field: ['input', 'option'] });
  }

  async #ask(question: ClusterQuestion): Promise<Asked> {
    try {
      return await this.#clusters.ask(question);
    } catch (error) {
      if (error instanceof NoAnswerError) refuse(error.mayHappen ? 'OUTCOME_UNCERTAIN' : 'UNAVAILABLE', error.message);
      if (!(error instanceof RefusedByCluster)) throw error;
      switch (error.code) {
        case 'CONTAINER_EXISTS':
          return refuse('ALREADY_EXISTS', error.message, atName);
        case 'INVALID_NAME':
          return refuse('INVALID_INPUT', error.message, atName);
        case 'CONTAINER_NOT_EMPTY':
          return refuse('IN_USE', error.message, atId);
        case 'NO_CONTAINER':
          // Between two questions it was deleted, or this request's container was in the meantime.
          if (question.ask === 'deleteContainer') return { containers: [], objects: [] };
          return refuse('WRONG_STATE', error.message);
        default:
          return refuse('UNAVAILABLE', error.message, { retryAfterMs: 1_000 });
      }
    }
  }
}

/** The same for the same request again. */
function idOf(account: string, key: string | null | undefined): string {
  if (key == null) return containerId(newUuid());
  return createHash('sha256')
    .update(JSON.stringify([account, 'container', key]))
    .digest('hex')
    .slice(0, 32);
}

function refuseUnreadable(): never {
  refuse('OUTCOME_UNCERTAIN', 'the cluster did not say which container it made: send the request again');
}
