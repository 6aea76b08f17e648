// Positions of errors in the input of a tree, whose parts are checked separately.
import { Refusal, type UserError } from '../../../../platform/errors/errors.ts';

/** The error of a part, at its place in the tree. */
export function atPath(error: UserError, path: readonly string[]): UserError {
  return { ...error, field: ['input', ...path, ...error.field.slice(1)] };
}

/** Refuses like `write`, at the position of the part. */
export function refusedAt(path: readonly string[], write: () => Promise<unknown>): Promise<void> {
  return refusedWith((error) => atPath(error, path), write);
}

/**
 * Moves an error of `poolIds` to the field in which the pool was given. The first `newPools` of them are the tree's new pools, and the rest are those
 * of the input.
 */
export function asGiven(error: UserError, newPools: number): UserError {
  const [input = '', name, at, ...rest] = error.field;
  if (name !== 'poolIds' || at === undefined) return error;
  const place = Number(at) < newPools ? ['pools', at] : ['poolIds', String(Number(at) - newPools)];
  const message = error.message.replace(`poolIds.${at}`, place.join('.'));
  return { ...error, message, field: [input, ...place, ...rest] };
}

/** Refuses like `write`, at the positions in the input. */
export function refusedAsGiven(newPools: number, write: () => Promise<unknown>): Promise<void> {
  return refusedWith((error) => asGiven(error, newPools), write);
}

async function refusedWith(move: (error: UserError) => UserError, write: () => Promise<unknown>): Promise<void> {
  try {
    await write();
  } catch (error) {
    if (error instanceof Refusal) throw new Refusal(error.errors.map(move));
    throw error;
  }
}
