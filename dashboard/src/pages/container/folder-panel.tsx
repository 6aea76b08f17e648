// The folders and objects below a prefix, page by page, folders first.
import { type ReactNode, useCallback, useState } from 'react';
import { ContainerPageDocument, type ContainerPageQuery } from '../../../../generated/dashboard/graphql.ts';
import { useDependencies } from '../../context.ts';
import { go } from '../../route.ts';
import { PagedPanel } from '../../view/paged-panel.tsx';
import { type CountedPage, usePaged } from '../../view/use-paged.ts';
import { useSettled } from '../../view/use-settled.ts';
import { folderLink } from './address.ts';
import { FolderRow, ObjectRow } from './object-row.tsx';
import type { Transfers } from './transfers.ts';
import { downloadOf } from './use-transfers.ts';

type Entry = NonNullable<NonNullable<ContainerPageQuery['objectContainer']>['entries']>['nodes'][number];

interface FolderPanelProps {
  readonly id: string;
  /** Empty for the container's root. */
  readonly folder: string;
  /** The beginning of the names that are shown. */
  readonly rest: string;
  /** Why the viewer may not change anything here. Null if they may. */
  readonly forbidden: string | null;
  readonly transfers: Transfers;
  /** The number of uploads that are done: after another one the folder is read again. */
  readonly stored: number;
  readonly onRead: (container: ContainerPageQuery['objectContainer']) => void;
  readonly tools: ReactNode;
}

/** Objects have no event here. */
const everyMs = 10_000;
const none: CountedPage<Entry> = { nodes: [], pageInfo: { hasNextPage: false, endCursor: null } };

export function FolderPanel({ id, folder, rest, forbidden, transfers, stored, onRead, tools }: FolderPanelProps) {
  const { requester } = useDependencies();
  const [changes, setChanges] = useState(0);
  const prefix = folder + useSettled(rest);
  const readPage = useCallback(
    async (after: string | null): Promise<CountedPage<Entry>> => {
      const { objectContainer } = await requester.request(ContainerPageDocument, { id, prefix, after });
      onRead(objectContainer);
      return objectContainer?.entries ?? none;
    },
    [requester, id, prefix, onRead],
  );
  const paged = usePaged(readPage, `${changes} ${stored}`, everyMs);
  const onChanged = useCallback(() => setChanges((before) => before + 1), []);
  const { page } = paged;
  const nodes = page?.nodes.toSorted((one, other) => Number(one.object !== null) - Number(other.object !== null)) ?? [];
  const empty = `No objects yet.${forbidden === null ? ' Drop files here, or press Upload files.' : ''}`;
  return (
    <PagedPanel
      name="objects"
      title="Objects"
      paged={{ ...paged, page: page && { ...page, nodes } }}
      none={rest === '' ? empty : 'No name here begins with this.'}
      tools={tools}
      columns={['Name', 'Size', 'Type', 'Modified', '']}
      keyOf={({ name }) => name}
      item={({ name, object }) =>
        object === null ? (
          <FolderRow name={name} shown={name.slice(folder.length)} href={folderLink(id, name)} />
        ) : (
          <ObjectRow
            {...{ containerId: id, object, forbidden, onChanged }}
            shown={name.slice(folder.length) || '/'}
            onDownload={() => transfers.add([downloadOf({ name, sizeBytes: Number(object.sizeBytes) })])}
          />
        )
      }
    >
      <label className="begins">
        Names that begin with{' '}
        <input
          type="search"
          maxLength={1_024}
          value={rest}
          // A slash would lead to another folder, and take the focus away.
          onChange={({ target }) => go(folderLink(id, folder + target.value.replaceAll('/', '')), 'replace')}
        />
      </label>
    </PagedPanel>
  );
}
