// What stands in place of data that is still read: bars of the height of rows, so that nothing moves when they come.

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
