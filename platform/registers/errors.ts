// How an operation on a register ends when it does not succeed. Each says whether something may have happened.

/** Too few replicas answered. A write of which this is said did nothing and never will. */
export class NoQuorumError extends Error {
  override readonly name = 'NoQuorumError';
}

/** Others wrote the same name all the time. Nothing was written. */
export class ContendedError extends Error {
  override readonly name = 'ContendedError';
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
