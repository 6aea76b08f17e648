// A link to the drawer of a user, a project or a token, which keeps the filters of the page.
import { useFilters } from '../../filters/use-filters.ts';
import { Link } from '../../view/link.tsx';
import { filterFormat } from './filters.ts';
import type { openables } from './kinds.ts';

interface OpenLinkProps {
  readonly type: (typeof openables)[number];
  readonly id: string;
  readonly name: string;
  /** The link stands for a row of a list: the focus returns to it. */
  readonly isRow?: boolean;
}

export function OpenLink({ type: { typename: type }, id, name, isRow = false }: OpenLinkProps) {
  const { filters } = useFilters(filterFormat);
  return (
    <Link
      className="name"
      href={`/people${filterFormat.format({ ...filters, open: { type, id } })}`}
      data-row={isRow ? id : undefined}
    >
      {name}
    </Link>
  );
}
