// Evaluates the conditions of a request on an object, in the order of RFC 9110 section 13.2.2.
import { ObjectError } from '../../wire/object-error.ts';
import type { Conditions } from './namespace.ts';

interface Tagged {
  readonly etag: string;
  readonly modifiedAtMs: number;
}

export function hasConditions(conditions: Conditions | undefined): conditions is Conditions {
  return conditions !== undefined && Object.values(conditions).some((each) => each !== undefined);
}

/** Why a change is refused. `found` is undefined if there is no object. */
export function refusalOf(conditions: Conditions, found: Tagged | undefined): ObjectError | undefined {
  const { ifMatch, ifNoneMatch, ifUnmodifiedSince } = conditions;
  if (ifMatch !== undefined && found === undefined) return new ObjectError('NO_OBJECT', 'there is no such object');
  if (ifMatch !== undefined && !matches(ifMatch, found)) return failed('If-Match');
  if (ifMatch === undefined && isLater(found, ifUnmodifiedSince)) return failed('If-Unmodified-Since');
  return ifNoneMatch !== undefined && matches(ifNoneMatch, found) ? failed('If-None-Match') : undefined;
}

/** @throws ObjectError PRECONDITION_FAILED, NOT_MODIFIED */
export function mustAllowRead(conditions: Conditions, found: Tagged): void {
  const { ifMatch, ifNoneMatch, ifModifiedSince, ifUnmodifiedSince } = conditions;
  if (ifMatch !== undefined && !matches(ifMatch, found)) throw failed('If-Match');
  if (ifMatch === undefined && isLater(found, ifUnmodifiedSince)) throw failed('If-Unmodified-Since');
  const isUnmodified = ifModifiedSince !== undefined && !isLater(found, ifModifiedSince);
  if (ifNoneMatch === undefined ? isUnmodified : matches(ifNoneMatch, found))
    throw new ObjectError('NOT_MODIFIED', 'the object has not changed');
}

/** For the source of a copy, whose reader gets no copy of it: NOT_MODIFIED counts as a failed condition too. */
export function mustAllowCopy(conditions: Conditions, found: Tagged): void {
  try {
    mustAllowRead(conditions, found);
  } catch (error) {
    if (error instanceof ObjectError && error.code === 'NOT_MODIFIED') throw failed('the condition on the source');
    throw error;
  }
}

function matches(tags: readonly string[], found: Tagged | undefined): boolean {
  return found !== undefined && tags.some((tag) => tag === '*' || tag === found.etag);
}

/** HTTP dates have a resolution of one second. */
function isLater(found: Tagged | undefined, than: Date | undefined): boolean {
  return found !== undefined && than !== undefined && Math.floor(found.modifiedAtMs / 1000) * 1000 > than.getTime();
}

function failed(what: string): ObjectError {
  return new ObjectError('PRECONDITION_FAILED', `${what} is not met`);
}
