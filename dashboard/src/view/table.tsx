// A table of rows across a panel. On a phone its cells stand below each other.
import type { ReactNode } from 'react';

interface TableProps {
  /** Empty for a column of buttons. */
  readonly columns: readonly string[];
  /** Rows. */
  readonly children: ReactNode;
}

export function Table({ columns, children }: TableProps) {
  return (
    <table className="grid">
      <thead>
        <tr>
          {columns.map((column) => (
            <th key={column} scope="col">
              {column === '' ? <span className="visually-hidden">Actions</span> : column}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>{children}</tbody>
    </table>
  );
}
