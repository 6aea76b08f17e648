// A panel with a list that is read page by page: the number of items, the items, and a button that reads more.

import type { ReactNode } from 'react';
import { Panel } from './panel.tsx';
import { Failures } from './refusal.tsx';
import { ScrollRegion } from './scroll-region.tsx';
import { Skeleton } from './skeleton.tsx';
import { Table } from './table.tsx';
import type { CountedPage, Paged } from './use-paged.ts';

interface PagedPanelProps<Node> {
  /** The list's name for keyboard.ts. */
  readonly name: string;
  readonly title: string;
  readonly paged: Paged<Node>;
  /** If there is nothing. */
  readonly none: ReactNode;
  readonly tools?: ReactNode;
  /** Above the items. */
  readonly children?: ReactNode;
  readonly keyOf: (node: Node) => string;
  readonly item: (node: Node) => ReactNode;
  /** The heads of a table whose rows are the items. Default: a list. */
  readonly columns?: readonly string[];
}

export function PagedPanel<Node>({ name, title, paged, tools, children, ...list }: PagedPanelProps<Node>) {
  return (
    <Panel name={name} title={title} summary={paged.page && countOf(paged.page)} tools={tools}>
      {children}
      <ScrollRegion list={name} label={title}>
        <PagedList paged={paged} {...list} />
      </ScrollRegion>
    </Panel>
  );
}

type PagedListProps<Node> = Pick<PagedPanelProps<Node>, 'paged' | 'none' | 'keyOf' | 'item' | 'columns'>;

export function PagedList<Node>({ paged, none, keyOf, item, columns }: PagedListProps<Node>) {
  const { page, failure, more, isReadingMore, isFull } = paged;
  const hasMore = page?.pageInfo.hasNextPage === true;
  return (
    <>
      <Failures failures={failure === null ? [] : [failure]} />
      {page === undefined && failure === null && <Skeleton />}
      {page?.nodes.length === 0 && !hasMore && <div className="hint">{none}</div>}
      {columns === undefined ? (
        <ul className="calls">
          {page?.nodes.map((node) => (
            <li key={keyOf(node)}>{item(node)}</li>
          ))}
        </ul>
      ) : (
        <Table columns={columns}>
          {page?.nodes.map((node) => (
            <tr key={keyOf(node)}>{item(node)}</tr>
          ))}
        </Table>
      )}
      {hasMore && !isFull && (
        <button type="button" className="more" disabled={isReadingMore} onClick={more}>
          {isReadingMore ? 'Loading more…' : page.nodes.length === 0 ? 'Search further' : 'More'}
        </button>
      )}
      {hasMore && isFull && <p className="hint">More exist than are shown here. Filter the list.</p>}
    </>
  );
}

/** `20 of 312`, `20 of more than 10,000`, `3`. */
function countOf({ nodes, pageInfo, totalCount }: CountedPage<unknown>): string {
  if (totalCount === undefined) return `${nodes.length}${pageInfo.hasNextPage ? ' and more' : ''}`;
  if (totalCount === nodes.length) return String(totalCount);
  return `${nodes.length} of ${totalCount ?? 'more than 10,000'}`;
}
