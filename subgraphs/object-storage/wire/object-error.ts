// The refusals of operations on containers and objects. Each interface (S3, the command line) has its own wording for these codes.

/** `FATE_UNKNOWN`: the operation may take effect at any time, or never. All other codes mean that nothing happened. */
export type ObjectErrorCode =
  | 'NO_CONTAINER'
  | 'CONTAINER_EXISTS'
  | 'CONTAINER_NOT_EMPTY'
  | 'NO_OBJECT'
  | 'NO_UPLOAD'
  | 'NO_OPTION'
  | 'TOO_MANY_UPLOADS'
  | 'INVALID_NAME'
  | 'INVALID_PART'
  | 'PART_TOO_SMALL'
  | 'PRECONDITION_FAILED'
  | 'NOT_MODIFIED'
  | 'TOO_LARGE'
  | 'BODY_CUT_OFF'
  | 'NOT_ALLOWED'
  | 'NEAREST_NOT_ALLOWED'
  | 'NO_QUORUM'
  | 'FATE_UNKNOWN'
  | 'DISK_FULL'
  | 'ISOLATED';

export class ObjectError extends Error {
  override readonly name = 'ObjectError';
  readonly code: ObjectErrorCode;

  constructor(code: ObjectErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

export function noObject(name: string): ObjectError {
  return new ObjectError('NO_OBJECT', `there is no object ${name.slice(0, 80)}`);
}
