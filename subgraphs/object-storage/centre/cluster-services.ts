// Drains a service of a cluster, and forgets one that is silent: administrators only. The cluster is told over its controller's link, and keeps it.
import type { ObjectServiceDrainInput, ObjectServiceRemoveInput } from '../../../generated/graph/object-storage.ts';
import { refuse } from '../../../platform/errors.ts';
import type { RequestContext } from '../../../platform/identity.ts';
import type { MutationOutcome } from '../../../platform/mutation.ts';
import type { ClusterQuestion } from '../wire/cluster-questions.ts';
import { Administered, type ServiceGround } from './administered.ts';
import { type ClusterQuestions, NoAnswerError, RefusedByCluster } from './cluster-questions.ts';
import { type ClusterRow, readClusters } from './cluster-store.ts';

type Outcome = Promise<MutationOutcome<ClusterRow>>;
type Named = Pick<ObjectServiceDrainInput, 'id' | 'role' | 'name' | 'idempotencyKey'>;

export class ClusterServices {
  readonly #clusters: Administered<ClusterRow>;
  readonly #questions: ClusterQuestions;

  constructor(ground: ServiceGround, questions: ClusterQuestions) {
    this.#clusters = new Administered(ground, { type: 'ObjectCluster', read: readClusters });
    this.#questions = questions;
  }

  drain(context: RequestContext, input: ObjectServiceDrainInput): Outcome {
    const { role, name, drained } = input;
    const question = { ask: 'drainService', role, name, isDrained: drained ?? true } as const;
    return this.#tell('objectServiceDrain', context, input, question);
  }

  remove(context: RequestContext, input: ObjectServiceRemoveInput): Outcome {
    const { role, name } = input;
    return this.#tell('objectServiceRemove', context, input, { ask: 'removeService', role, name });
  }

  #tell(mutation: string, context: RequestContext, input: Named, question: ClusterQuestion): Outcome {
    return this.#clusters.run(mutation, context, input, async ({ check }) => {
      check.text('role', input.role, { required: true, min: 1, max: 32 });
      check.text('name', input.name, { required: true, min: 1, max: 63 });
      check.throwIfAny();
      const cluster = await this.#clusters.find(check, input);
      if (cluster.deleted) refuse('WRONG_STATE', `the cluster ${cluster.name} is deleted`);
      const look = async () => {
        await this.#ask(question, cluster);
        return async () => cluster.id;
      };
      return { look };
    });
  }

  async #ask(question: ClusterQuestion, cluster: ClusterRow): Promise<void> {
    try {
      await this.#questions.ask(question, cluster.name);
    } catch (error) {
      if (error instanceof NoAnswerError) refuse(error.mayHappen ? 'OUTCOME_UNCERTAIN' : 'UNAVAILABLE', error.message);
      if (!(error instanceof RefusedByCluster)) throw error;
      if (error.code === 'NO_SERVICE') refuse('NOT_FOUND', error.message, { field: ['input', 'name'] });
      refuse('WRONG_STATE', error.message);
    }
  }
}
