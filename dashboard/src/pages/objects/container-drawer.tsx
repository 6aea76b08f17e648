// One container: its objects page by page, the upload of a file, and what can be done with each object.
import { useCallback, useState } from 'react';
import {
  ObjectsContainerDocument,
  type ObjectsContainerQuery,
  ObjectsDeleteUrlDocument,
  ObjectsDownloadUrlDocument,
} from '../../../../generated/dashboard/graphql.ts';
import { formatCmpObject, linkToCmpObject } from '../../cmp-object.ts';
import { useDependencies, useLiveState } from '../../context.ts';
import { EditLink } from '../../forms/create-link.tsx';
import { ConfirmedAction } from '../../view/confirmed-action.tsx';
import { Drawer, Facts } from '../../view/drawer.tsx';
import { Link } from '../../view/link.tsx';
import { PagedList } from '../../view/paged-panel.tsx';
import { isOperator } from '../../view/permissions.ts';
import { type Failure, Failures, failureOf } from '../../view/refusal.tsx';
import { Moment, Time } from '../../view/time.tsx';
import { useMutation } from '../../view/use-mutation.ts';
import { type CountedPage, usePaged } from '../../view/use-paged.ts';
import { useSettled } from '../../view/use-settled.ts';
import { sendToCluster } from './send-to-cluster.ts';
import { formatBytes } from './sizes.ts';
import { UploadForm } from './upload-form.tsx';

type Container = NonNullable<ObjectsContainerQuery['objectContainer']>;
type Item = NonNullable<Container['objects']>['nodes'][number];

/** Objects have no event here. */
const everyMs = 10_000;
const none: CountedPage<Item> = { nodes: [], pageInfo: { hasNextPage: false, endCursor: null } };

interface ContainerDrawerProps {
  readonly id: string;
  readonly onClose: () => void;
}

export function ContainerDrawer({ id, onClose }: ContainerDrawerProps) {
  const { requester } = useDependencies();
  const { viewer } = useLiveState();
  const [container, setContainer] = useState<Container | null | undefined>(undefined);
  const [changes, setChanges] = useState(0);
  const [typed, setTyped] = useState('');
  const prefix = useSettled(typed);
  const readPage = useCallback(
    async (after: string | null): Promise<CountedPage<Item>> => {
      const { objectContainer } = await requester.request(ObjectsContainerDocument, { id, prefix, after });
      setContainer(objectContainer);
      return objectContainer?.objects ?? none;
    },
    [requester, id, prefix],
  );
  const paged = usePaged(readPage, String(changes), everyMs);
  const onChanged = useCallback(() => setChanges((before) => before + 1), []);
  const forbidden = isOperator(viewer, container?.project.id) ? null : 'Only operators of its project can do this.';
  return (
    <Drawer id={id} title={container?.name ?? 'Container'} onClose={onClose}>
      {container === null && <p className="dim">Not found: deleted, or in none of your projects.</p>}
      {container != null && (
        <>
          <ContainerFacts container={container} />
          <div className="actions">
            <EditLink kind="ObjectContainer" id={id} projectId={container.project.id} />
          </div>
          <UploadForm containerId={id} forbidden={forbidden} onUploaded={onChanged} />
        </>
      )}
      {container !== null && (
        <section aria-label="Objects">
          <h3>Objects</h3>
          <label className="field">
            Names that begin with
            <input type="search" maxLength={1024} value={typed} onChange={({ target }) => setTyped(target.value)} />
          </label>
          <PagedList
            paged={paged}
            none={prefix === '' ? 'No objects yet.' : 'No object matches.'}
            keyOf={({ name }) => name}
            item={(item) => <ObjectItem containerId={id} item={item} forbidden={forbidden} onChanged={onChanged} />}
          />
        </section>
      )}
    </Drawer>
  );
}

function ContainerFacts({ container }: { readonly container: Container }) {
  const { id, project, option, cmpObject, createdAt } = container;
  return (
    <Facts
      facts={[
        { name: 'Project', value: project.name },
        { name: 'Option', value: option?.name ?? 'not known' },
        {
          name: 'CMP object',
          value: cmpObject && <Link href={linkToCmpObject(cmpObject)}>{formatCmpObject(cmpObject)}</Link>,
        },
        { name: 'Created', value: <Moment at={createdAt} /> },
        { name: 'Id', value: <code>{id}</code> },
      ]}
    />
  );
}

interface ObjectItemProps {
  readonly containerId: string;
  readonly item: Item;
  readonly forbidden: string | null;
  readonly onChanged: () => void;
}

function ObjectItem({ containerId, item, forbidden, onChanged }: ObjectItemProps) {
  const { name, sizeBytes, contentType, modifiedAt } = item;
  const downloading = useMutation(ObjectsDownloadUrlDocument);
  const download = async (): Promise<void> => {
    // Opened by the click itself, and pointed to the object once its URL is signed: browsers stop windows that open later.
    const tab = window.open('about:blank', '_blank');
    const payload = await downloading.send({ containerId, name });
    const url = payload?.objectUrl?.url;
    if (tab === null || url === undefined) return tab?.close();
    tab.opener = null;
    tab.location.replace(url);
  };
  return (
    <>
      <span className="line" data-object={name}>
        <span className="name mono">{name}</span>
        <span>{formatBytes(sizeBytes)}</span>
        <span className="dim">{contentType}</span>
        <span className="dim">
          <Time at={modifiedAt} />
        </span>
      </span>
      <span className="line">
        <button
          type="button"
          disabled={downloading.isBusy}
          aria-label={`Download ${name}`}
          onClick={() => void download()}
        >
          Download
        </button>
        <DeleteObject containerId={containerId} name={name} forbidden={forbidden} onDeleted={onChanged} />
      </span>
      <Failures failures={downloading.failures} />
    </>
  );
}

interface DeleteObjectProps {
  readonly containerId: string;
  readonly name: string;
  readonly forbidden: string | null;
  readonly onDeleted: () => void;
}

function DeleteObject({ containerId, name, forbidden, onDeleted }: DeleteObjectProps) {
  const signing = useMutation(ObjectsDeleteUrlDocument);
  const [failures, setFailures] = useState<readonly Failure[]>([]);
  const remove = async (): Promise<boolean> => {
    setFailures([]);
    const url = (await signing.send({ containerId, name }))?.objectUrl?.url;
    if (url === undefined) return false;
    try {
      await sendToCluster({ url, method: 'DELETE' });
    } catch (error) {
      setFailures([failureOf(error)]);
      return false;
    }
    onDeleted();
    return true;
  };
  return (
    <ConfirmedAction
      label="Delete"
      about={name}
      question={`Delete the object ${name}?`}
      forbidden={forbidden}
      control={{ isBusy: signing.isBusy, failures: [...signing.failures, ...failures] }}
      onConfirm={remove}
    >
      It is deleted on all clusters. This cannot be undone.
    </ConfirmedAction>
  );
}
