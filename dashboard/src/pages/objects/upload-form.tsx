// Uploads a file of the person straight to a cluster, with a signed URL, and shows how far it is.
import { type FormEvent, useEffect, useRef, useState } from 'react';
import { ObjectsUploadUrlDocument } from '../../../../generated/dashboard/graphql.ts';
import { type Failure, Failures, failureOf } from '../../view/refusal.tsx';
import { useMutation } from '../../view/use-mutation.ts';
import { sendToCluster } from './send-to-cluster.ts';
import { formatBytes, mostUploadBytes } from './sizes.ts';

interface UploadFormProps {
  readonly containerId: string;
  /** Why the viewer may not upload. Null if they may. */
  readonly forbidden: string | null;
  readonly onUploaded: () => void;
}

interface Transfer {
  readonly name: string;
  readonly sizeBytes: number;
  readonly sentBytes: number;
}

const longestName = 1_024;

export function UploadForm({ containerId, forbidden, onUploaded }: UploadFormProps) {
  const { file, choose, name, setName, transfer, done, failures, isBusy, upload, stop } = useUpload(
    containerId,
    onUploaded,
  );
  const isTooLarge = isTooLargeFile(file);
  return (
    <form className="upload" aria-label="Upload" onSubmit={(event) => void upload(event)}>
      <h3>Upload</h3>
      <label className="field">
        File, at most {formatBytes(mostUploadBytes)}
        <input
          type="file"
          required
          disabled={forbidden !== null || transfer !== null}
          onChange={({ target }) => choose(target.files?.[0] ?? null)}
        />
      </label>
      <label className="field">
        Name of the object
        <input
          required
          maxLength={longestName}
          value={name}
          disabled={forbidden !== null || transfer !== null}
          onChange={({ target }) => setName(target.value)}
        />
      </label>
      {file !== null && isTooLarge && (
        <p className="warning" role="alert">
          The file has {formatBytes(file.size)}. One upload has at most {formatBytes(mostUploadBytes)}: send it in parts
          with an S3 tool and an access key.
        </p>
      )}
      {transfer !== null && (
        <p role="status">
          <progress max={transfer.sizeBytes || 1} value={transfer.sentBytes} aria-label="Sent" />{' '}
          {`${formatBytes(transfer.sentBytes)} of ${formatBytes(transfer.sizeBytes)}`}
        </p>
      )}
      {done !== null && <p role="status">{done}</p>}
      <Failures failures={failures} />
      <div className="actions">
        <button
          type="submit"
          className="primary"
          disabled={forbidden !== null || file === null || isTooLarge || transfer !== null || isBusy}
        >
          Upload
        </button>
        {transfer !== null && (
          <button type="button" onClick={stop}>
            Give up
          </button>
        )}
        {forbidden !== null && <span className="dim">{forbidden}</span>}
      </div>
    </form>
  );
}

/** The chosen file, and its way to the cluster. */
function useUpload(containerId: string, onUploaded: () => void) {
  const signing = useMutation(ObjectsUploadUrlDocument);
  const [file, setFile] = useState<File | null>(null);
  const [name, setName] = useState('');
  const [transfer, setTransfer] = useState<Transfer | null>(null);
  const [done, setDone] = useState<string | null>(null);
  const [failures, setFailures] = useState<readonly Failure[]>([]);
  const stopping = useRef<AbortController | null>(null);
  useEffect(() => () => stopping.current?.abort(), []);

  const upload = async (event: FormEvent<HTMLFormElement>): Promise<void> => {
    event.preventDefault();
    if (file === null || isTooLargeFile(file)) return;
    const form = event.currentTarget;
    setDone(null);
    setFailures([]);
    const url = (await signing.send({ containerId, name }))?.objectUrl?.url;
    if (url === undefined) return;
    const about = { name, sizeBytes: file.size };
    setTransfer({ ...about, sentBytes: 0 });
    stopping.current = new AbortController();
    try {
      await sendToCluster(
        { url, method: 'PUT', file },
        { onProgress: (sentBytes) => setTransfer({ ...about, sentBytes }), signal: stopping.current.signal },
      );
      setDone(`${name} is stored: ${formatBytes(file.size)}.`);
      setFile(null);
      setName('');
      form.reset();
      onUploaded();
    } catch (error) {
      setFailures([failureOf(error)]);
    } finally {
      setTransfer(null);
    }
  };
  const choose = (chosen: File | null): void => {
    setFile(chosen);
    setName(chosen?.name ?? '');
  };
  return {
    ...{ file, choose, name, setName, transfer, done, upload, isBusy: signing.isBusy },
    ...{ failures: [...signing.failures, ...failures], stop: () => stopping.current?.abort() },
  };
}

function isTooLargeFile(file: File | null): boolean {
  return file !== null && file.size > mostUploadBytes;
}
