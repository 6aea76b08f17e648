// The folders and objects below a prefix, page by page, folders first.
import { type ReactNode, useCallback, useState } from 'react';
import { ContainerPageDocument, type ContainerPageQuery } from '../../../../generated/dashboard/graphql.ts';
import { useDependencies } from '../../context.ts';
import { go } from '../../route.ts';
import { PagedPanel } from '../../view/paged-panel.tsx';
import { type CountedPage, usePaged } from '../../view/use-paged.ts';
import { useSettled } from '../../view/use-settled.ts';
import { folderLink } from './address.ts';
import { FolderRow, ObjectRow, type StoredObject } from './object-row.tsx';
import type { Transfers } from './transfers.ts';
import { downloadOf } from './use-transfers.ts';

/** A text is the common prefix of a folder. */
type Entry = StoredObject | string;

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
      const objects = objectContainer?.objects;
      return objects == null ? none : { ...objects, nodes: [...objects.commonPrefixes, ...objects.nodes] };
    },
    [requester, id, prefix, onRead],
  );
  const paged = usePaged(readPage, `${changes} ${stored}`, everyMs);
  const onChanged = useCallback(() => setChanges((before) => before + 1), []);
  const { page } = paged;
  const nodes = page?.nodes.toSorted((one, other) => Number(isObject(one)) - Number(isObject(other))) ?? [];
  const empty = `No objects yet.${forbidden === null ? ' Drop files here, or press Upload files.' : ''}`;
  return (
    <PagedPanel
      name="objects"
      title="Objects"
      paged={{ ...paged, page: page && { ...page, nodes } }}
      none={rest === '' ? empty : 'No name here begins with this.'}
      tools={tools}
      columns={['Name', 'Size', 'Type', 'Modified', '']}
      keyOf={(entry) => (isObject(entry) ? `object ${entry.name}` : `folder ${entry}`)}
      item={(entry) =>
        isObject(entry) ? (
          <ObjectRow
            {...{ containerId: id, object: entry, forbidden, onChanged }}
            shown={entry.name.slice(folder.length) || '/'}
            onDownload={() => transfers.add([downloadOf({ name: entry.name, sizeBytes: Number(entry.sizeBytes) })])}
          />
        ) : (
          <FolderRow name={entry} shown={entry.slice(folder.length)} href={folderLink(id, entry)} />
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

function isObject(entry: Entry): entry is StoredObject {
  return typeof entry !== 'string';
}
