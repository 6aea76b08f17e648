// A placeholder while data is loading: bars as high as rows, so that the layout does not shift afterwards.

interface SkeletonProps {
  /** For screen readers. */
  readonly what?: string;
}

export function Skeleton({ what }: SkeletonProps) {
  return (
    <div className="skeleton" role="status">
      <span className="visually-hidden">{what === undefined ? 'Loading…' : `Loading ${what}…`}</span>
      <i />
      <i />
      <i />
    </div>
  );
}
