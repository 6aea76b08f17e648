// The heads of the columns of a list whose rows are one line. Each row says the same in words.

interface RowHeadsProps {
  /** Its class gives the columns their widths: `balancer` for `balancer-columns`. */
  readonly of: string;
  readonly heads: readonly string[];
}

/** The first column, with the name, needs none. */
export function RowHeads({ of, heads }: RowHeadsProps) {
  return (
    <div className={`one-line row-heads ${of}-columns`} aria-hidden="true">
      <span />
      {heads.map((head) => (
        <span key={head}>{head}</span>
      ))}
    </div>
  );
}
