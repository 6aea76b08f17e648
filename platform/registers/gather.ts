// Asks several replicas at once and waits only until the question is decided.

export interface Answers<Answer> {
  readonly answered: ReadonlyMap<number, Answer>;
  /** Clusters that failed, with the reason. */
  readonly failed: ReadonlyMap<number, unknown>;
}

/** Clusters that are asked only if the others don't decide: one has failed, all have answered, or it takes too long. */
interface Spare {
  readonly clusters: readonly number[];
  /** Calls `ask` when it takes too long. Returns a function that ends the wait. */
  readonly whenLate: (ask: () => void) => () => void;
}

/** Resolves when `decided` returns true, or when all have answered or failed. Later answers are dropped. */
export function gather<Answer>(
  clusters: readonly number[],
  ask: (cluster: number) => Promise<Answer>,
  decided: (answers: Answers<Answer>) => boolean,
  spare?: Spare,
): Promise<Answers<Answer>> {
  const answered = new Map<number, Answer>();
  const failed = new Map<number, unknown>();
  const { promise, resolve } = Promise.withResolvers<Answers<Answer>>();
  let asked = 0;
  let left = spare?.clusters ?? [];
  const askAll = (some: readonly number[]) => {
    asked += some.length;
    for (const cluster of some)
      ask(cluster).then(
        (answer) => {
          answered.set(cluster, answer);
          look();
        },
        (error: unknown) => {
          failed.set(cluster, error);
          look();
        },
      );
  };
  const askSpare = () => {
    const some = left;
    left = [];
    askAll(some);
  };
  const endWait = left.length === 0 ? undefined : spare?.whenLate(askSpare);
  const look = () => {
    const isOver = answered.size + failed.size === asked;
    if ((isOver && left.length === 0) || decided({ answered, failed })) {
      left = [];
      endWait?.();
      resolve({ answered: new Map(answered), failed: new Map(failed) });
    } else if (isOver || failed.size > 0) askSpare();
  };
  askAll(clusters);
  return promise;
}
