// What fails beneath, in the words of containers and objects.
import {
  ClosedError,
  ContendedError,
  FateUnknownError,
  NoQuorumError,
  NotSentError,
} from '../../../platform/registers/errors.ts';
import { ObjectError } from './errors.ts';

/** What is no failure of these passes as it is. */
export function asObjectError(error: unknown): unknown {
  if (error instanceof FateUnknownError) return new ObjectError('FATE_UNKNOWN', error.message, { cause: error });
  const isAway =
    error instanceof NoQuorumError ||
    error instanceof ContendedError ||
    error instanceof ClosedError ||
    error instanceof NotSentError;
  return isAway ? new ObjectError('NO_QUORUM', `${error.message}: try again`, { cause: error }) : error;
}
