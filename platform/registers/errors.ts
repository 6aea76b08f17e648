// The errors of operations on a register. Each one states whether the operation may have had an effect.

/** Too few replicas answered. A write that fails with this error had no effect and never will. */
export class NoQuorumError extends Error {
  override readonly name = 'NoQuorumError';
}

/** Others wrote the same name all the time. Nothing was written. */
export class ContendedError extends Error {
  override readonly name: string = 'ContendedError';
}

/** The name has a later version than the value may get. Nothing was written. */
export class OvertakenError extends ContendedError {
  override readonly name = 'OvertakenError';
  /** The value must be given a later version than this one. */
  readonly after: string;

  constructor(message: string, after: string) {
    super(message);
    this.after = after;
  }
}

/** Some replica may have taken the write: it may take effect at any time, once, or never. */
export class FateUnknownError extends Error {
  override readonly name = 'FateUnknownError';
}

/** Replicas refuse changes in this name's container: it is deleted, or its deletion is under way. */
export class ClosedError extends Error {
  override readonly name = 'ClosedError';
}

/** A request that certainly did not reach the replica. */
export class NotSentError extends Error {
  override readonly name = 'NotSentError';
}
