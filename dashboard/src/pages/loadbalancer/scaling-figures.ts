// The inputs of a scaling decision, which the graph gives as JSON.

export interface ScalingFigure {
  /** Unique in its decision. */
  readonly key: string;
  /** The node's name; null: a wanted node that did not exist yet. */
  readonly node: string | null;
  /** Null: it reported nothing. */
  readonly percent: number | null;
  readonly at: string | null;
  readonly warming: boolean;
}

/** What does not look like figures is left out. */
export function figuresIn(inputs: unknown): readonly ScalingFigure[] {
  if (!Array.isArray(inputs)) return [];
  return inputs.flatMap((input: unknown, index): readonly ScalingFigure[] => {
    if (typeof input !== 'object' || input === null) return [];
    const { node, percent, at, warming } = input as Readonly<Record<string, unknown>>;
    const name = typeof node === 'string' ? node : null;
    return [
      {
        key: `${index} ${name ?? ''}`,
        node: name,
        percent: typeof percent === 'number' ? percent : null,
        at: typeof at === 'string' ? at : null,
        warming: warming === true,
      },
    ];
  });
}
