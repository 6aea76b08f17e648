// Record of an answer's selection: the members that each step kept, and its reasons for leaving out others.

export interface TrailStep {
  readonly step: string;
  /** Ids in order. */
  readonly kept: readonly string[];
  readonly left: readonly { readonly memberId: string; readonly reason: string }[];
}

export class Trail {
  readonly #steps: TrailStep[] = [];

  get steps(): readonly TrailStep[] {
    return this.#steps;
  }

  add<Each extends { readonly memberId: string }>(
    step: string,
    before: readonly Each[],
    after: readonly Each[],
    why: (left: Each) => string,
  ): void {
    const left = before
      .filter((each) => !after.includes(each))
      .map((each) => ({ memberId: each.memberId, reason: why(each) }));
    this.#steps.push({ step, kept: after.map(({ memberId }) => memberId), left });
  }
}
