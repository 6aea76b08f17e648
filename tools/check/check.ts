// A check of the tree: what it is called, and the faults it finds. None throws for a fault: it says what is wrong, where.

export interface CheckContext {
  /** The checkout. */
  readonly root: string;
  /** A git commit to compare the graph with, besides the last one; undefined: only that. */
  readonly base: string | undefined;
  readonly signal: AbortSignal;
}

export interface Check {
  readonly name: string;
  /** One line for each fault; none: all is well. */
  run(context: CheckContext): Promise<readonly string[]>;
}
