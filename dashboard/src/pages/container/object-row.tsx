// One line of a folder: a folder in it, or an object with what can be done with it.
import { useState } from 'react';
import {
  ContainerDeleteUrlDocument,
  ContainerDownloadUrlDocument,
  type ContainerPageQuery,
} from '../../../../generated/dashboard/graphql.ts';
import { CopyButton } from '../../forms/copy-button.tsx';
import { ActionsMenu } from '../../view/actions-menu.tsx';
import { ConfirmedAction } from '../../view/confirmed-action.tsx';
import { DialogButton } from '../../view/dialog-button.tsx';
import { formatBytes } from '../../view/format.ts';
import { Icon } from '../../view/icons.tsx';
import { Link } from '../../view/link.tsx';
import { type Failure, Failures, failureOf } from '../../view/refusal.tsx';
import { Moment, Time } from '../../view/time.tsx';
import { useMutation } from '../../view/use-mutation.ts';
import { sendToCluster } from './send-to-cluster.ts';

type Entries = NonNullable<NonNullable<ContainerPageQuery['objectContainer']>['entries']>;
type StoredObject = NonNullable<Entries['nodes'][number]['object']>;

const icons = {
  folder: 'M2 12.5v-9h4l1.5 2H14v7z',
  file: 'M4 2h5l3 3v9H4zM9 2v3h3',
} as const;

interface FolderRowProps {
  /** Relative to the folder that is shown. */
  readonly shown: string;
  readonly name: string;
  readonly href: string;
}

export function FolderRow({ shown, name, href }: FolderRowProps) {
  return (
    <td colSpan={5} data-folder={name}>
      <Link href={href} className="name" data-row={name}>
        <Icon path={icons.folder} />
        {shown}
      </Link>
    </td>
  );
}

interface ObjectRowProps {
  readonly containerId: string;
  readonly shown: string;
  readonly object: StoredObject;
  /** Why the viewer may not delete. Null if they may. */
  readonly forbidden: string | null;
  readonly onDownload: () => void;
  readonly onChanged: () => void;
}

export function ObjectRow({ containerId, shown, object, forbidden, onDownload, onChanged }: ObjectRowProps) {
  const { name, sizeBytes, contentType, modifiedAt } = object;
  return (
    <>
      <td data-object={name}>
        <span className="name">
          <Icon path={icons.file} />
          {shown}
        </span>
      </td>
      <td>{formatBytes(Number(sizeBytes))}</td>
      <td className="dim">{contentType}</td>
      <td className="dim">
        <Time at={modifiedAt} />
      </td>
      <td>
        <button type="button" data-row={name} aria-label={`Download ${name}`} onClick={onDownload}>
          Download
        </button>
        <ActionsMenu about={name}>
          <ShareObject containerId={containerId} name={name} />
          <DeleteObject {...{ containerId, name, forbidden }} onDeleted={onChanged} />
        </ActionsMenu>
      </td>
    </>
  );
}

interface OfObject {
  readonly containerId: string;
  readonly name: string;
}

const minuteMs = 60_000;
const lives = [
  { validMs: 15 * minuteMs, says: '15 minutes' },
  { validMs: 60 * minuteMs, says: '1 hour' },
  { validMs: 1_440 * minuteMs, says: '1 day' },
  { validMs: 10_080 * minuteMs, says: '7 days' },
] as const;

function ShareObject({ containerId, name }: OfObject) {
  const { send, isBusy, failures } = useMutation(ContainerDownloadUrlDocument);
  const [validMs, setValidMs] = useState<number>(lives[1].validMs);
  const [link, setLink] = useState<{ readonly url: string; readonly expiresAt: string } | null>(null);
  const share = async (): Promise<void> => setLink((await send({ containerId, name, validMs }))?.objectUrl ?? null);
  return (
    <DialogButton
      label="Share"
      about={name}
      title={`Share ${name}`}
      forbidden={null}
      onOpenChange={() => setLink(null)}
    >
      {(close) => (
        <>
          <p>Anyone with the link can download the object until it expires. It needs no login.</p>
          <label className="field">
            Valid for
            <select value={validMs} onChange={({ target }) => setValidMs(Number(target.value))}>
              {lives.map((life) => (
                <option key={life.validMs} value={life.validMs}>
                  {life.says}
                </option>
              ))}
            </select>
          </label>
          {link !== null && (
            <div className="shared" role="status">
              <code>{link.url}</code>
              <span className="line">
                <CopyButton text={link.url} what="the link" />
                <span className="dim">
                  Valid until <Moment at={link.expiresAt} />
                </span>
              </span>
            </div>
          )}
          <Failures failures={failures} />
          <div className="actions">
            <button type="button" onClick={close}>
              Close
            </button>
            <button type="button" className="primary" disabled={isBusy} aria-busy={isBusy} onClick={() => void share()}>
              Create link
            </button>
          </div>
        </>
      )}
    </DialogButton>
  );
}

interface DeleteObjectProps extends OfObject {
  readonly forbidden: string | null;
  readonly onDeleted: () => void;
}

function DeleteObject({ containerId, name, forbidden, onDeleted }: DeleteObjectProps) {
  const signing = useMutation(ContainerDeleteUrlDocument);
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
