// The mutations of one type of object: they differ in their name, input and effect alone.
import type { RequestContext } from '../caller/identity.ts';
import type { MutationCall, MutationOutcome, Mutations } from './mutation.ts';

type RunOf<Entity> = (
  name: string,
  context: RequestContext,
  input: MutationCall<Entity>['input'],
  prepare: MutationCall<Entity>['prepare'],
) => Promise<MutationOutcome<Entity>>;

/** `subject`: the type in the graph. `read`: by UUID, after the commit. */
export function mutationsOf<Entity>(
  mutations: Mutations,
  subject: string,
  read: MutationCall<Entity>['read'],
): RunOf<Entity> {
  return (name, context, input, prepare) => mutations.run({ name, context, input, subject, prepare, read });
}
