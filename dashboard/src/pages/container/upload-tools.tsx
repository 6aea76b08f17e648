// The buttons for uploads: files, a whole folder, and a new folder to upload into.
import { type ChangeEvent, useId, useRef, useState } from 'react';
import { DialogButton } from '../../view/dialog-button.tsx';
import { type Chosen, filesOf } from './chosen-files.ts';

interface UploadToolsProps {
  /** Why the viewer may not upload. Null if they may. */
  readonly forbidden: string | null;
  readonly onFiles: (chosen: Chosen) => void;
  /** Its name, without slashes around it. */
  readonly onFolder: (name: string) => void;
}

export function UploadTools({ forbidden, onFiles, onFolder }: UploadToolsProps) {
  return (
    <span className="tools actions">
      <NewFolder {...{ forbidden, onFolder }} />
      <UploadButton isFolder {...{ forbidden, onFiles }} />
      <UploadButton {...{ forbidden, onFiles }} />
    </span>
  );
}

/** React's types lack it (File and Directory Entries API). */
const folderInput: object = { webkitdirectory: '' };

interface UploadButtonProps extends Pick<UploadToolsProps, 'forbidden' | 'onFiles'> {
  readonly isFolder?: boolean;
}

function UploadButton({ forbidden, onFiles, isFolder = false }: UploadButtonProps) {
  const input = useRef<HTMLInputElement>(null);
  const take = ({ target }: ChangeEvent<HTMLInputElement>): void => {
    onFiles(filesOf(target.files));
    // The same file may be chosen again.
    target.value = '';
  };
  return (
    <>
      <button
        type="button"
        className={isFolder ? undefined : 'primary'}
        disabled={forbidden !== null}
        title={forbidden ?? undefined}
        onClick={() => input.current?.click()}
      >
        {isFolder ? 'Upload a folder' : 'Upload files'}
      </button>
      <input ref={input} type="file" hidden multiple {...(isFolder ? folderInput : {})} onChange={take} />
    </>
  );
}

function NewFolder({ forbidden, onFolder }: Pick<UploadToolsProps, 'forbidden' | 'onFolder'>) {
  const [name, setName] = useState('');
  const formId = useId();
  const clean = name.replace(/^\/+|\/+$/g, '');
  return (
    <DialogButton label="New folder" title="New folder" forbidden={forbidden} onOpenChange={() => setName('')}>
      {(close) => (
        <form
          id={formId}
          onSubmit={(event) => {
            event.preventDefault();
            close();
            onFolder(clean);
          }}
        >
          <label className="field">
            Name
            <input required maxLength={255} value={name} onChange={({ target }) => setName(target.value)} />
          </label>
          <p className="dim">A folder is the beginning of names. It exists while an object is in it.</p>
          <div className="actions">
            <button type="button" onClick={close}>
              Cancel
            </button>
            <button type="submit" className="primary" disabled={clean === ''}>
              Open
            </button>
          </div>
        </form>
      )}
    </DialogButton>
  );
}
