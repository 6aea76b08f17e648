// The files that a person drops or chooses, with the paths of their folders. Bounded: a folder may have any number of files.

interface ChosenFile {
  readonly file: File;
  /** From the dropped folder on: `photos/cat.jpg`. */
  readonly path: string;
}

export interface Chosen {
  readonly files: readonly ChosenFile[];
  /** More were dropped than are taken. */
  readonly hasMore: boolean;
}

export const mostFiles = 1_000;

/** Of an input for files or for a folder. */
export function filesOf(list: FileList | null): Chosen {
  const all = [...(list ?? [])];
  const files = all.slice(0, mostFiles).map((file) => ({ file, path: file.webkitRelativePath || file.name }));
  return { files, hasMore: all.length > mostFiles };
}

/** Of a drop. Folders are read through, level by level. */
export async function droppedFiles({ items }: DataTransfer): Promise<Chosen> {
  // Before the first pause: afterwards a drop is empty.
  const dropped = [...items].filter(({ kind }) => kind === 'file');
  const waiting = dropped.flatMap((item) => item.webkitGetAsEntry() ?? []);
  const files: ChosenFile[] = [];
  for (let entry = waiting.shift(); entry !== undefined; entry = waiting.shift()) {
    if (files.length === mostFiles) return { files, hasMore: true };
    if (entry.isFile) files.push({ file: await fileOf(entry as FileSystemFileEntry), path: entry.fullPath.slice(1) });
    else waiting.push(...(await entriesOf(entry as FileSystemDirectoryEntry, mostFiles + 1)));
  }
  return { files, hasMore: false };
}

function fileOf(entry: FileSystemFileEntry): Promise<File> {
  return new Promise((resolve, reject) => entry.file(resolve, reject));
}

/** A browser gives some hundred at once, and none at the end. */
async function entriesOf(folder: FileSystemDirectoryEntry, most: number): Promise<readonly FileSystemEntry[]> {
  const reader = folder.createReader();
  const found: FileSystemEntry[] = [];
  while (found.length < most) {
    const some = await new Promise<FileSystemEntry[]>((resolve, reject) => reader.readEntries(resolve, reject));
    if (some.length === 0) break;
    found.push(...some);
  }
  return found;
}
