// Drains a service of a cluster, or forgets a silent one; administrators only. The cluster gets the wish over its controller's link and
// stores it.
import type {
  ObjectServiceDrainInput,
  ObjectServiceRemoveInput,
  ObjectServiceUndrainInput,
} from '../../../../generated/graph/object-storage.ts';
import type { RequestContext } from '../../../../platform/caller/identity.ts';
import { type MutationOutcome, uncertain } from '../../../../platform/edge/mutation.ts';
import { refuse } from '../../../../platform/errors/errors.ts';
import type { ClusterQuestion } from '../../wire/cluster-questions.ts';
import { type ClusterQuestions, NoAnswerError, RefusedByCluster } from '../questions/cluster-questions.ts';
import { Administered, type ServiceDependencies } from '../stores/administered.ts';
import { type ClusterRow, readClusters } from '../stores/cluster-store.ts';

type Outcome = Promise<MutationOutcome<ClusterRow>>;
type Named = Pick<ObjectServiceDrainInput, 'clusterId' | 'role' | 'name' | 'idempotencyKey'>;

export class ClusterServices {
  readonly #clusters: Administered<ClusterRow>;
  readonly #questions: ClusterQuestions;

  constructor(dependencies: ServiceDependencies, questions: ClusterQuestions) {
    this.#clusters = new Administered(dependencies, { type: 'ObjectCluster', read: readClusters });
    this.#questions = questions;
  }

  drain(context: RequestContext, input: ObjectServiceDrainInput): Outcome {
    const { role, name } = input;
    return this.#tell('objectServiceDrain', context, input, { ask: 'drainService', role, name, isDrained: true });
  }

  undrain(context: RequestContext, input: ObjectServiceUndrainInput): Outcome {
    const { role, name } = input;
    return this.#tell('objectServiceUndrain', context, input, { ask: 'drainService', role, name, isDrained: false });
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
      const cluster = await this.#clusters.find(check, { id: input.clusterId }, 'clusterId');
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
      if (error instanceof NoAnswerError && error.mayHappen) throw uncertain(`No answer came: ${error.message}`);
      if (error instanceof NoAnswerError) refuse('UNAVAILABLE', error.message);
      if (!(error instanceof RefusedByCluster)) throw error;
      if (error.code === 'NO_SERVICE') refuse('NOT_FOUND', error.message, { field: ['input', 'name'] });
      refuse('WRONG_STATE', error.message);
    }
  }
}
