// Creates and deletes containers, for operators of the project. A cluster makes the change; this database records it with the CMP object
// that it belongs to. If anything is lost in between, repeating the request completes it: the container's id is derived from the request.
import { createHash } from 'node:crypto';
import type {
  ObjectContainerCreateInput,
  ObjectContainerDeleteInput,
} from '../../../../generated/graph/object-storage.ts';
import type { RequestContext } from '../../../../platform/caller/identity.ts';
import { type MutationOutcome, uncertain } from '../../../../platform/edge/mutation.ts';
import { refuseDeletedProject } from '../../../../platform/edge/projects.ts';
import { Refusal, refuse, unknownId } from '../../../../platform/errors/errors.ts';
import { caller, maySee, oneProject, requireRole } from '../../../../platform/input/authorise.ts';
import { refuseUnknown } from '../../../../platform/input/refusals.ts';
import { checkedCmpObject } from '../../../../platform/pages/cmp-object.ts';
import type { SubgraphContext } from '../../../../platform/process/subgraph-row.ts';
import { encodeId, newUuid } from '../../../../platform/values/ids.ts';
import type { ClusterQuestion } from '../../wire/cluster-questions.ts';
import { type Asked, type ClusterQuestions, NoAnswerError, RefusedByCluster } from '../questions/cluster-questions.ts';
import { accountFor, accountsOf } from '../stores/account-store.ts';
import {
  type ContainerRow,
  containerId,
  containerNamed,
  containerRow,
  readContainers,
  recordContainer,
  recordDeleted,
} from '../stores/container-store.ts';
import { liveOptions, type OptionRow } from '../stores/option-store.ts';
import { decodeContainer } from './container-reads.ts';

type Outcome = Promise<MutationOutcome<ContainerRow>>;

/** Objects that are counted for the message of a refusal. */
const mostCounted = 100;
const atName = { field: ['input', 'name'] };
const atId = { field: ['input', 'id'] };

export class ContainerService {
  readonly #dependencies: Pick<SubgraphContext, 'db' | 'wake' | 'mutations'>;
  readonly #clusters: ClusterQuestions;

  constructor(dependencies: Pick<SubgraphContext, 'db' | 'wake' | 'mutations'>, clusters: ClusterQuestions) {
    this.#dependencies = dependencies;
    this.#clusters = clusters;
  }

  create(context: RequestContext, input: ObjectContainerCreateInput): Outcome {
    const { db, wake } = this.#dependencies;
    return this.#dependencies.mutations.run({
      ...{ name: 'objectContainerCreate', context, input, subject: 'ObjectContainer' },
      prepare: (attempt) => {
        const { check } = attempt;
        caller(context);
        check.text('name', input.name, { required: true, min: 3, max: 63 });
        const optionId = input.optionId == null ? undefined : check.id('optionId', input.optionId, 'ObjectOption');
        const cmp = checkedCmpObject(check, input.cmpObject);
        const projectId = oneProject(context.identity, input.projectId);
        attempt.projectId = projectId;
        requireRole(context.identity, projectId, 'OPERATOR', 'objectContainerCreate');
        check.throwIfAny();
        const look = async () => {
          const option = await this.#option(optionId);
          const accountId = await accountFor(db, wake, projectId);
          const account = containerId(accountId);
          const { containers } = await this.#ask({
            ...{ ask: 'createContainer', account, name: input.name, option: option.name },
            id: idOf(account, input.idempotencyKey),
          });
          const made = {
            ...containerRow({ projectId, accountId }, containers[0] ?? refuseUnreadable()),
            optionId: option.id,
          };
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
    const { db } = this.#dependencies;
    return this.#dependencies.mutations.run({
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
          if (found !== undefined) await this.#delete({ account, name, id: found.id });
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

  /** By its UUID, otherwise the default. An option that exists here may still be unknown to a cluster; that is a different error. */
  async #option(id: string | undefined): Promise<OptionRow> {
    const options = await liveOptions(this.#dependencies.db);
    const option = options.find((each) => (id === undefined ? each.isDefault : each.id === id));
    if (option !== undefined) return option;
    const wrong =
      id === undefined
        ? 'there is no default option: name one of objectOptions'
        : unknownId('ObjectOption', encodeId('ObjectOption', id));
    return refuse('NOT_FOUND', wrong, { field: ['input', 'optionId'] });
  }

  async #delete(container: { readonly account: string; readonly name: string; readonly id: string }): Promise<void> {
    try {
      await this.#ask({ ask: 'deleteContainer', ...container });
    } catch (error) {
      if (!(error instanceof Refusal) || error.errors[0]?.code !== 'IN_USE') throw error;
      const { account, name } = container;
      const listed = { account, container: name, prefix: '', after: '', limit: mostCounted + 1 };
      // What it would refuse is refused already: without a count, if none comes.
      const asked = await this.#clusters.ask({ ask: 'objects', ...listed }).catch(() => undefined);
      const counted = asked?.objects.length ?? 0;
      refuse('IN_USE', `${name} has ${inWords(counted)}: delete ${counted === 1 ? 'it' : 'them'} first`, atId);
    }
  }

  async #ask(question: ClusterQuestion): Promise<Asked> {
    try {
      return await this.#clusters.ask(question);
    } catch (error) {
      if (error instanceof NoAnswerError && error.mayHappen) throw uncertain(`No answer came: ${error.message}`);
      if (error instanceof NoAnswerError) refuse('UNAVAILABLE', error.message);
      if (!(error instanceof RefusedByCluster)) throw error;
      switch (error.code) {
        case 'CONTAINER_EXISTS':
          return refuse('ALREADY_EXISTS', error.message, atName);
        case 'INVALID_NAME':
          return refuse('INVALID_INPUT', error.message, atName);
        case 'CONTAINER_NOT_EMPTY':
          return refuse('IN_USE', error.message, atId);
        case 'NO_CONTAINER':
          // The container was deleted between the two questions, possibly after this request had created it.
          if (question.ask === 'deleteContainer') return { containers: [], objects: [] };
          return refuse('WRONG_STATE', error.message);
        default:
          return refuse('UNAVAILABLE', error.message, { retryAfterMs: 1_000 });
      }
    }
  }
}

/** `counted`: 0 is an unknown number. */
function inWords(counted: number): string {
  if (counted > mostCounted) return `more than ${mostCounted} objects`;
  return counted === 1 ? '1 object' : `${counted === 0 ? '' : `${counted} `}objects`;
}

/** The same for a repeated request. */
function idOf(account: string, key: string | null | undefined): string {
  if (key == null) return containerId(newUuid());
  return createHash('sha256')
    .update(JSON.stringify([account, 'container', key]))
    .digest('hex')
    .slice(0, 32);
}

function refuseUnreadable(): never {
  throw uncertain('The cluster did not return the container that it created');
}
