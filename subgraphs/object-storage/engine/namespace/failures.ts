// Translates errors of the layer below into errors of containers and objects.
import {
  ClosedError,
  ContendedError,
  FateUnknownError,
  NoQuorumError,
  NotSentError,
} from '../../../../platform/registers/errors.ts';
import { ObjectError } from '../../wire/object-error.ts';
import { DiskFullError } from '../blobs/blob-errors.ts';

/** Returns other values unchanged. */
export function asObjectError(error: unknown): unknown {
  if (error instanceof DiskFullError) return new ObjectError('DISK_FULL', error.message, { cause: error });
  if (error instanceof FateUnknownError) return new ObjectError('FATE_UNKNOWN', error.message, { cause: error });
  const isAway =
    error instanceof NoQuorumError ||
    error instanceof ContendedError ||
    error instanceof ClosedError ||
    error instanceof NotSentError;
  return isAway ? new ObjectError('NO_QUORUM', `${error.message}: try again`, { cause: error }) : error;
}
