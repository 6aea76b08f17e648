// A check of the tree: its name, and the faults that it finds. A fault is returned with its place, never thrown.

export interface CheckContext {
  /** The checkout. */
  readonly root: string;
  readonly signal: AbortSignal;
}

export interface Check {
  readonly name: string;
  /** One line per fault. Empty if there is none. */
  run(context: CheckContext): Promise<readonly string[]>;
}
