// Which mutations a request with `tidegate-dry-run` may have: those that the edge of mutations carries out and rolls back. All others are refused
// before their resolver runs.
import { type GraphQLField, type GraphQLSchema, getNamedType } from 'graphql';
import type { RequestContext } from '../caller/identity.ts';
import { CodedError } from '../errors/errors.ts';

const triedVerbs = /[a-z0-9](Create|Update|Delete|Set|Attach|Detach|Remove|Revoke)$/;
/** Of mutations that are sent to a device. */
const relayedPayload = 'RelayPayload';

export function isTried({ name, type }: Pick<GraphQLField<unknown, unknown>, 'name' | 'type'>): boolean {
  return triedVerbs.test(name) && getNamedType(type).name !== relayedPayload;
}

/** Changes the schema. */
export function refuseUntried(schema: GraphQLSchema): void {
  for (const field of Object.values(schema.getMutationType()?.getFields() ?? {})) {
    const { resolve } = field;
    if (resolve === undefined || isTried(field)) continue;
    field.resolve = (source, args, context: RequestContext, info) => {
      if (context.manner?.dryRun === true)
        throw new CodedError('INVALID_INPUT', `${field.name} can't be tried: send it without tidegate-dry-run.`);
      return resolve(source, args, context, info);
    };
  }
}
