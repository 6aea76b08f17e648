// Takes files and folders that are dropped anywhere on the page, and says where they would go while they hover.
import { type DragEvent, type ReactNode, useState } from 'react';
import { type Failure, Failures, failureOf } from '../../view/refusal.tsx';
import { type Chosen, droppedFiles } from './chosen-files.ts';

interface DropZoneProps {
  /** The folder, for people. */
  readonly where: string;
  /** Why the viewer may not upload. Null if they may. */
  readonly forbidden: string | null;
  readonly onFiles: (chosen: Chosen) => void;
  readonly children: ReactNode;
}

const hasFiles = ({ dataTransfer }: DragEvent) => dataTransfer.types.includes('Files');

export function DropZone({ where, forbidden, onFiles, children }: DropZoneProps) {
  const [isOver, setOver] = useState(false);
  const [failures, setFailures] = useState<readonly Failure[]>([]);
  const hover = (event: DragEvent): void => {
    if (!hasFiles(event)) return;
    // Without this the browser opens a dropped file in place of the page.
    event.preventDefault();
    event.dataTransfer.dropEffect = forbidden === null ? 'copy' : 'none';
    setOver(true);
  };
  const drop = (event: DragEvent): void => {
    if (!hasFiles(event)) return;
    event.preventDefault();
    setOver(false);
    if (forbidden !== null) return;
    setFailures([]);
    droppedFiles(event.dataTransfer).then(onFiles, (error: unknown) => setFailures([failureOf(error)]));
  };
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: a drop is a way beside the buttons for uploads, which the keyboard reaches.
    <div
      className="drop-zone"
      onDragEnter={hover}
      onDragOver={hover}
      onDragLeave={({ currentTarget, relatedTarget }) => {
        if (!(relatedTarget instanceof Node && currentTarget.contains(relatedTarget))) setOver(false);
      }}
      onDrop={drop}
    >
      {isOver && (
        <p className="drop-here" role="status">
          {forbidden ?? `Drop to upload into ${where}`}
        </p>
      )}
      <Failures failures={failures} />
      {children}
    </div>
  );
}
