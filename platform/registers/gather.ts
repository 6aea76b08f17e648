// Asks several replicas at once and waits only until the question is decided.

export interface Answers<Answer> {
  readonly answered: ReadonlyMap<number, Answer>;
  /** Those that failed, with the reason. */
  readonly failed: ReadonlyMap<number, unknown>;
}

/** Resolves when `decided` says so, or all have answered or failed. Later answers are dropped. */
export function gather<Answer>(
  clusters: readonly number[],
  ask: (cluster: number) => Promise<Answer>,
  decided: (answers: Answers<Answer>) => boolean,
): Promise<Answers<Answer>> {
  const answered = new Map<number, Answer>();
  const failed = new Map<number, unknown>();
  const { promise, resolve } = Promise.withResolvers<Answers<Answer>>();
  const look = () => {
    if (answered.size + failed.size === clusters.length || decided({ answered, failed }))
      resolve({ answered: new Map(answered), failed: new Map(failed) });
  };
  for (const cluster of clusters)
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
  return promise;
}
